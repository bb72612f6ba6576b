;;; emacs.el --- Asks Emacs what a user asks  -*- lexical-binding: t; -*-

;; `emacs --batch -l INIT -l emacs.el`, in a folder with the problem `p.blo` of check.py, where INIT has the lines of the
;; page. Ends with an error where the editor does not show what it should.

;;; Code:
(require 'eglot)
(require 'cl-lib)

(defun told (what)
  (princ (format "ok: %s\n" what)))

(defun fail (what &rest more)
  (princ (format "Emacs: %s: %S\n%s\n" what more (buffer-string)))
  (when-let ((server (eglot-current-server)))
    (princ (with-current-buffer (jsonrpc-events-buffer server) (buffer-string))))
  (kill-emacs 1))

(defun same (what found wanted)
  (if (equal found wanted) (told what) (fail what found wanted)))

(defun wait (what condition)
  "Wait until CONDITION returns something, and return that."
  (let ((end (+ (float-time) 30)) value)
    (while (and (not (setq value (funcall condition))) (< (float-time) end))
      (accept-process-output nil 0.02))
    (or value (fail what "nothing came"))))

(defun go (text &optional n)
  "Go to the first TEXT, and N characters on."
  (goto-char (point-min))
  (search-forward text)
  (goto-char (+ (match-beginning 0) (or n 0))))

(defun findings ()
  (mapcar (lambda (d)
            (list (flymake-diagnostic-text d)
                  (buffer-substring (flymake-diagnostic-beg d) (flymake-diagnostic-end d))))
          (flymake-diagnostics)))

(defun findings-are (count)
  "Wait until there are COUNT findings of the newest version."
  (eglot--signal-textDocument/didChange)
  (wait (format "%d findings" count) (lambda () (flymake-start) (and (= (length (flymake-diagnostics)) count) t)))
  (findings))

(defun complete ()
  "What may stand at point, as `completion-at-point' has it."
  (pcase-let ((`(,start ,end ,table . ,_) (eglot-completion-at-point)))
    (all-completions (buffer-substring start end) table)))

(setq eglot-sync-connect 5)
(setq-default indent-tabs-mode nil)
(find-file "p.blo")
(same "the mode" major-mode 'blo-mode)
;; what Emacs does when it is about to wait for the first key
(run-hooks 'post-command-hook)
(wait "the server" #'eglot-current-server)
(let ((found (car (findings-are 1))))
  (same "a mistake, at its letter" (cadr found) "β")
  (princ (format "    %S\n" (car found))))

(go "α - 1")
(let (said)
  (eglot-hover-eldoc-function (lambda (text &rest _) (setq said (format "%s" text))))
  (wait "hover" (lambda () said))
  (same "hover says what a name is" (and (string-match-p "var α" said) t) t))

(go "β")
(delete-char 1)
(let ((words (complete)))
  (same "completion offers names in scope" (and (member "α" words) (member "y" words) t) t))
(insert "α")
(same "typing mends the mistake" (findings-are 0) nil)
;; a word that follows a sign
(go "y - α")
(save-excursion (insert " + "))
(insert "y-nor")
(same "completion of a word behind a sign" (and (member "norm1" (complete)) t) t)
(completion-at-point)
(same "completion fills in what is common" (and (search-backward "y-norm" (- (point) 6) t) t) t)
(delete-region (point) (search-forward " + "))
(findings-are 0)

(go "α - 1")
(let ((xref-prompt-for-identifier nil))
  (xref-find-definitions (xref-backend-identifier-at-point 'eglot)))
(same "definition" (buffer-substring (line-beginning-position) (point)) "upper { var ")
(same "references" (length (xref-backend-references 'eglot (xref-backend-identifier-at-point 'eglot))) 3)
(same "outline" (and (funcall imenu-create-index-function) t) t)

(go "α - 1")
(eglot-rename "gamma")
(same "rename" (list (save-excursion (go "var gamma[n]") t) (save-excursion (go "(y - gamma)") t)) '(t t))
(eglot-format-buffer)
(save-buffer)
(same "the layout is that of blo fmt" (call-process "blo" nil nil nil "fmt" "--check" "p.blo") 0)

(go "normsq(y")
(insert "2 ")
(same "a finding with an edit" (length (findings-are 1)) 1)
(eglot-code-actions (point-min) (point-max) "source.fixAll.blo" t)
(same "source.fixAll.blo makes the safe edits" (save-excursion (go "2*normsq(y - gamma)") t) t)
(findings-are 0)

(go "minimize normsq")
(call-interactively #'comment-line)
(same "comments" (save-excursion (go "  # minimize normsq") t) t)
(go "# minimize")
(call-interactively #'comment-line)
(go "# 🦀")
(font-lock-mode 1)
(font-lock-ensure)
(same "comments, first words and other words have their colors"
      (mapcar (lambda (text) (get-text-property (go text) 'face)) '("# 🦀" "upper {" "minimize 2" "normsq"))
      '(font-lock-comment-delimiter-face font-lock-keyword-face font-lock-keyword-face nil))

(save-excursion
  (goto-char (point-max))
  (insert "data A[_, 2] = csv(\"t")
  (save-excursion (insert "\")\n"))
  (same "completion offers files of the folder" (complete) '("t.csv"))
  (completion-at-point)
  (same "completion writes the name" (and (looking-back "csv(\"t\\.csv" nil) t) t)
  (delete-region (line-beginning-position) (point-max)))

(defun colors ()
  (plist-get (jsonrpc-request (eglot--current-server-or-lose) :textDocument/semanticTokens/full
                              (list :textDocument (eglot--TextDocumentIdentifier)))
             :data))

(findings-are 0)
(let ((laid (buffer-string)) (fresh (colors)))
  (random "blo")
  (dotimes (_ 40)
    (dotimes (_ 25)
      (let ((a (+ 1 (random (1+ (buffer-size))))) (b (+ 1 (random (1+ (buffer-size))))))
        (when (< (random 10) 4) (delete-region (min a b) (max a b)))
        (goto-char (+ 1 (random (1+ (buffer-size)))))
        (insert (nth (random 9) '("🦀" "α" "\n" "y - β)\n" "# é\n\n" "ẏ" "}" "\n\n\n" "\t")))
        (when (= 0 (random 8)) (ignore-errors (transpose-chars 1)))
        (when (= 0 (random 8)) (ignore-errors (join-line)))
        (when (= 0 (random 4)) (eglot--signal-textDocument/didChange))))
    (erase-buffer)
    (insert laid)
    (eglot--signal-textDocument/didChange)
    (unless (equal (colors) fresh) (fail "the server has another text"))))
(told "after 1000 edits the server has the text of the editor")

;; a rename of a version that the server does not have is refused whole, where it would put names at wrong places
(go "y - gamma")
(insert "1 + ")
(go "var y" 4)
(let ((before (buffer-string)))
  (same "edits of an earlier version are refused"
        (list (condition-case nil (eglot-rename "other") (error 'refused)) (equal (buffer-string) before))
        '(refused t)))

(let ((log (with-current-buffer (jsonrpc-stderr-buffer (eglot-current-server)) (buffer-string))))
  (same "the server's standard error" log ""))
(eglot-shutdown (eglot-current-server) nil 5)
(told "it ends")
(set-buffer-modified-p nil)
;;; emacs.el ends here
