-- Drives a second Neovim that has the lines of the page as its init.lua: `nvim -l neovim.lua NVIM INIT`, in a folder with
-- the problem `p.blo` of check.py. Ends with an error where the editor does not show what it should.
local nvim, init = arg[1], arg[2]
local child = vim.fn.jobstart({ nvim, "--embed", "--headless", "-n", "-u", init, "p.blo" }, { rpc = true })

local function lua(code, ...)
  return vim.rpcrequest(child, "nvim_exec_lua", code, { ... })
end
local function keys(text)
  vim.rpcrequest(child, "nvim_input", text)
end
local log = [[
  local file = vim.lsp.log.get_filename()
  return vim.fn.filereadable(file) == 1 and table.concat(vim.fn.readfile(file), "\n") or ""
]]
local function ok(text)
  io.stdout:write("ok: " .. text .. "\n")
end
local function fail(text)
  io.stderr:write("Neovim: " .. text .. "\n")
  io.stderr:write(vim.inspect(lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)")) .. "\n")
  io.stderr:write(lua(log) .. "\n")
  vim.fn.jobstop(child)
  os.exit(1)
end
--- Waits until a piece of code of the child returns something that is neither nil nor false.
local function until_true(what, code, ...)
  local arguments, value = { ... }, nil
  local came = vim.wait(30000, function()
    value = lua(code, unpack(arguments))
    return value ~= nil and value ~= vim.NIL and value ~= false
  end, 20)
  if not came then fail(what .. ": nothing came") end
  return value
end
local function same(what, found, wanted)
  if not vim.deep_equal(found, wanted) then
    fail(what .. ": " .. vim.inspect(found) .. ", not " .. vim.inspect(wanted))
  end
  ok(what)
end
local function has(what, text, piece)
  if not text:find(piece, 1, true) then fail(what .. ": `" .. text .. "` does not have `" .. piece .. "`") end
  ok(what)
end
local function text()
  return lua("return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n') .. '\\n'")
end
--- Puts the cursor on the first occurrence of a text, and on its `n`th character.
local function go(to, n)
  lua([[vim.fn.cursor(1, 1); vim.fn.search('\\V' .. ..., 'cW')]], to)
  if n and n > 1 then keys((n - 1) .. "l") end
end
local findings = [[
  local found = {}
  for _, d in ipairs(vim.diagnostic.get(0)) do
    local line = vim.api.nvim_buf_get_lines(0, d.lnum, d.lnum + 1, true)[1]
    table.insert(found, { d.code, line:sub(d.col + 1, d.end_col) })
  end
  return ...  == #found and found
]]

until_true("the server", [[return #vim.lsp.get_clients({ bufnr = 0 }) == 1]])
same("the file is of the kind blo", lua([[return vim.bo.filetype]]), "blo")
same("a mistake, at its letter", until_true("a mistake", findings, 1), { { "B0201", "β" } })

-- the keys are those that Neovim has without any setting
local floating = [[
  for _, w in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(w).relative ~= "" then
      return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(w), 0, -1, true), "\n")
    end
  end
]]
go("α - 1")
keys("K")
has("K says what a name is", until_true("hover", floating), "var α")
keys("<Esc>gg")
until_true("the window closes", "return not (function() " .. floating .. " end)()")

go("β")
keys("s")
keys("<C-x><C-o>")
local offered = until_true("completion", [[
  local info = vim.fn.complete_info({ "items" })
  return #info.items > 0 and vim.tbl_map(function(i) return i.word end, info.items)
]])
if not vim.list_contains(offered, "α") or not vim.list_contains(offered, "y") then
  fail("completion: " .. table.concat(offered, " "))
end
ok("completion offers names in scope, and " .. (#offered - 2) .. " other words")
keys("<C-e>α<Esc>")
same("typing mends the mistake", until_true("no finding", findings, 0), {})

go("normsq(α", 8)
keys("<C-]>")
until_true("definition", [[return vim.fn.line(".") == 3 and vim.fn.getline("."):sub(vim.fn.col("."), vim.fn.col(".") + 1) == "α"]])
ok("CTRL-] goes to the declaration")
keys("grr")
same("grr lists references", until_true("references", [[
  local list = vim.fn.getqflist()
  return #list > 0 and vim.tbl_map(function(i) return { i.lnum, i.col } end, list)
]]), { { 3, 13 }, { 4, 19 }, { 7, 23 } })
keys("<Cmd>cclose<CR>")
keys("gO")
same("gO is the outline", until_true("outline", [[
  local list = vim.fn.getloclist(0)
  return #list > 0 and #list
]]) > 4, true)
keys("<Cmd>lclose<CR>")

go("α - 1")
keys("grn")
until_true("the prompt of rename", [[return vim.api.nvim_get_mode().mode == "c"]])
keys("<C-u>gamma<CR>")
until_true("rename", [[return not table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true)):find("α")]])
has("grn renames both levels", text(), "minimize normsq(y - gamma)")

lua([[vim.lsp.buf.format()]])
lua([[vim.cmd.write()]])
same("the layout is that of blo fmt", vim.fn.system({ "blo", "fmt", "--check", "p.blo" }) .. vim.v.shell_error, "0")

go("normsq(y")
keys("i2 <Esc>")
until_true("a finding with an edit", findings, 1)
lua([[vim.lsp.buf.code_action({ apply = true, context = { only = { "source.fixAll" }, diagnostics = {} } })]])
until_true("safe edits", [[return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true)):find("2*normsq(y", 1, true)]])
ok("source.fixAll makes the safe edits")
until_true("no finding", findings, 0)

go("normsq(y", 8)
keys("a, <C-s>")
has("CTRL-S shows the form of a call", until_true("signature help", floating), "normsq(")
keys("<Esc>u")
until_true("the window closes", "return not (function() " .. floating .. " end)()")
until_true("no finding", findings, 0)

go("gamma")
local kinds = until_true("semantic tokens", [[
  local found = vim.inspect_pos().semantic_tokens
  return #found > 0 and vim.tbl_map(function(t) return t.opts.hl_group end, found)
]])
has("names of the upper level are marked", table.concat(kinds, " "), "@lsp.mod.upper.blo")
has("gcc comments", lua([[
  vim.cmd.normal("gcc"); local line = vim.api.nvim_get_current_line(); vim.cmd.normal("gcc"); return line
]]), "  # ")

keys([[Godata A[_, 2] = csv("t<C-x><C-o>]])
-- a single word is written at once
until_true("completion of files", [[return vim.api.nvim_get_current_line():find("t.csv", 1, true)]])
keys([[")<Esc>]])
same("completion writes the name of a file", until_true("the line", [[
  return vim.api.nvim_get_mode().mode == "n" and vim.api.nvim_get_current_line()
]]), [[data A[_, 2] = csv("t.csv")]])
keys("u")

-- whatever is typed, pasted and taken back, the server has the same text: it finds nothing to lay out in a text that is
-- laid out, and colors it as a server does that has just begun
local laid = text()
local colors = [[
  local asked = { textDocument = vim.lsp.util.make_text_document_params(0) }
  asked.options = { tabSize = 2, insertSpaces = true }
  local answers = vim.lsp.buf_request_sync(0, "textDocument/" .. ..., asked, 5000)
  for _, answer in pairs(answers or {}) do return answer.result and (answer.result.data or answer.result) or answer.err.message end
]]
local function is_in_step()
  local fresh = lua(colors, "semanticTokens/full")
  for round = 1, 40 do
    lua([[
      local round, laid = ...
      math.randomseed(round)
      local pieces = { "🦀", "α", "", "\n", "y - β)\n", "# é\n\n", "ẏ", "}", "upper { ", "\n\n\n", "\t" }
      for _ = 1, 25 do
        local last = vim.api.nvim_buf_line_count(0) - 1
        local function place()
          local row = math.random(0, last)
          local line = vim.api.nvim_buf_get_lines(0, row, row + 1, true)[1]
          return row, vim.str_byteindex(line, "utf-32", math.random(0, vim.str_utfindex(line, "utf-32")))
        end
        local r1, c1 = place()
        local r2, c2 = place()
        if r2 < r1 or (r2 == r1 and c2 < c1) then r1, c1, r2, c2 = r2, c2, r1, c1 end
        if math.random() < 0.6 then r2, c2 = r1, c1 end
        vim.api.nvim_buf_set_text(0, r1, c1, r2, c2, vim.split(pieces[math.random(#pieces)], "\n"))
        if math.random() < 0.2 then vim.cmd("silent! undo") end
        if math.random() < 0.1 then vim.cmd("silent! redo") end
        if math.random() < 0.1 then vim.cmd("silent! move 0") end
        if math.random() < 0.1 then vim.cmd("silent! join") end
      end
      vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.split(laid:gsub("\n$", ""), "\n"))
    ]], round, laid)
    local now = lua(colors, "semanticTokens/full")
    if not vim.deep_equal(now, fresh) then fail("round " .. round .. ": the server has another text") end
    local edits = lua(colors, "formatting")
    if not vim.deep_equal(edits, {}) then fail("round " .. round .. ": edits of a text that is laid out: " .. vim.inspect(edits)) end
  end
end
is_in_step()
local file = assert(io.open("dos.blo", "wb"))
file:write((laid:gsub("\n", "\r\n")))
file:close()
lua([[vim.cmd("edit! dos.blo")]])
same("a file with other line ends", until_true("the server", [[return #vim.lsp.get_clients({ bufnr = 0 }) == 1 and vim.bo.fileformat]]), "dos")
is_in_step()
ok("after 2000 edits the server has the text of the editor")

same("the log of the client", lua(log):gsub("%[START%][^\n]*\n?", ""), "")
keys("<Cmd>qa!<CR>")
same("it ends", vim.fn.jobwait({ child }, 5000)[1], 0)
