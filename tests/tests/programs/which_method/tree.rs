//! The tree of `docs/book/src/which-method.md`, read from the page: a numbered list of questions, each in bold, with an answer for
//! `yes` and one for `no`. An answer leads to another question or is a leaf: a method in bold with its reason.

use blo_engine::model::Problem;

use super::questions;

/// The heading above the tree.
const HEADING: &str = "\n## The tree\n";

/// The tree, from its root.
pub(super) struct Tree {
    questions: Vec<Question>,
}

/// A question with its two answers.
pub(super) struct Question {
    /// Its words.
    pub(super) text: String,
    yes: Answer,
    no: Answer,
}

/// Where an answer leads.
enum Answer {
    /// The number of another question, from 0.
    Question(usize),
    /// A method.
    Leaf(Leaf),
}

/// The end of a walk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leaf {
    /// The question, from 1, and the answer to it.
    pub(super) at: (usize, bool),
    /// The method.
    pub(super) method: String,
    /// True where the steps are those of a preset of the file.
    pub(super) preset: bool,
}

impl Tree {
    /// Reads the tree.
    ///
    /// # Panics
    /// When the list is not one of questions with two answers each.
    pub(super) fn read(page: &str) -> Tree {
        let (_, after) = page.split_once(HEADING).expect("the page has a section with the tree");
        let section = after.split("\n## ").next().unwrap_or_default();
        let items = items(section);
        let mut questions = Vec::new();
        for three in items.chunks(3) {
            let [question, yes, no] = three else { panic!("a question has two answers: {three:?}") };
            let number = questions.len() + 1;
            let text = question.strip_prefix(&format!("{number}. ")).and_then(bold);
            let (text, line) = text.unwrap_or_else(|| panic!("question {number} in bold: {question}"));
            assert!(line.trim().ends_with('.'), "question {number} names the line of `explain`: {question}");
            let answer = |item: &str, word: &str, is: bool| {
                let rest = item.strip_prefix(word).unwrap_or_else(|| panic!("{word} of question {number}: {item}"));
                Answer::read(rest.trim(), (number, is))
            };
            let (yes, no) = (answer(yes, "- yes:", true), answer(no, "- no:", false));
            questions.push(Question { text: text.to_owned(), yes, no });
        }
        assert!(!questions.is_empty(), "the tree has questions");
        Tree { questions }
    }

    /// The questions in their order.
    pub(super) fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Every leaf.
    pub(super) fn leaves(&self) -> Vec<&Leaf> {
        let answers = self.questions.iter().flat_map(|q| [&q.yes, &q.no]);
        answers.filter_map(|a| if let Answer::Leaf(leaf) = a { Some(leaf) } else { None }).collect()
    }

    /// The leaf for a problem.
    ///
    /// # Panics
    /// When a question has no predicate, or leads back.
    pub(super) fn walk(&self, problem: &Problem) -> &Leaf {
        let mut at = 0;
        loop {
            let question = self.questions.get(at).unwrap_or_else(|| panic!("there is no question {}", at + 1));
            let answer = if questions::holds(&question.text, problem) { &question.yes } else { &question.no };
            match answer {
                Answer::Leaf(leaf) => return leaf,
                Answer::Question(next) => {
                    assert!(*next > at, "question {} leads back to {}", at + 1, next + 1);
                    at = *next;
                }
            }
        }
    }
}

impl Answer {
    fn read(text: &str, at: (usize, bool)) -> Answer {
        if let Some(number) = text.strip_prefix("go to ") {
            let number: usize = number.parse().unwrap_or_else(|_| panic!("the number of a question: {text}"));
            return Answer::Question(number.checked_sub(1).expect("questions count from 1"));
        }
        let (name, rest) = bold(text).unwrap_or_else(|| panic!("a method in bold, or `go to`: {text}"));
        let method = name.trim_matches('`').to_owned();
        let (preset, reason) = match rest.strip_prefix(" with a preset") {
            Some(reason) => (true, reason),
            None => (false, rest),
        };
        let reason = reason.strip_prefix(". ").unwrap_or_default();
        assert!(reason.ends_with('.'), "the leaf `{method}` has a reason: {text}");
        Answer::Leaf(Leaf { at, method, preset })
    }
}

/// The lines of the list, those that go on joined to those that begin.
fn items(section: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in section.lines() {
        let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) || text.starts_with("- ");
        if begins(line.trim_start()) {
            items.push(line.trim().to_owned());
        } else if line.starts_with(' ') {
            let item = items.last_mut().unwrap_or_else(|| panic!("an item before {line}"));
            item.push(' ');
            item.push_str(line.trim());
        }
    }
    items
}

/// What is in bold at the beginning, and the rest.
fn bold(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("**")?.split_once("**")
}
