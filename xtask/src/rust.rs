//! What the rules must know of a Rust file, read from its tokens: macros hide nothing, comments do not count.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Modules inside the file, then the name: `tests::a_rate_is_refused`.
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
    pub(crate) is_test: bool,
    pub(crate) is_ignored: bool,
}

/// A word in the code that is not a comment.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Inside a module marked `#[cfg(test)]` or a file of tests.
    pub(crate) in_tests: bool,
}

/// The parts of one file.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) functions: Vec<Function>,
    /// Names of attributes with their line: `allow`, `test`, `cfg`, …
    pub(crate) attributes: Vec<(String, usize)>,
    /// Identifiers, punctuation, brackets and numbers in order; `::` is two words `:`. No attributes.
    pub(crate) words: Vec<Word>,
    /// String literals as written, with their line. Documentation is not among them.
    pub(crate) strings: Vec<(String, usize)>,
}

/// What stands before an item and belongs to it.
#[derive(Default, Clone, Copy)]
struct Marks {
    is_test: bool,
    is_ignored: bool,
    cfg_test: bool,
}

impl Tokens {
    /// `in_tests` when the whole file is one of tests. `None` when the text does not lex as Rust; the compiler
    /// says why better than we could.
    pub(crate) fn read(text: &str, in_tests: bool) -> Option<Tokens> {
        let stream: TokenStream = text.parse().ok()?;
        let mut tokens = Tokens::default();
        tokens.walk(stream, "", in_tests);
        Some(tokens)
    }

    fn walk(&mut self, stream: TokenStream, module: &str, in_tests: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut marks = Marks::default();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            match tree {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let bang = matches!(trees.get(at + 1), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                    let group = at + 1 + usize::from(bang);
                    if let Some(TokenTree::Group(attribute)) = trees.get(group) {
                        self.attribute(attribute, &mut marks);
                        at = group + 1;
                        continue;
                    }
                }
                TokenTree::Ident(word) if word == "fn" => {
                    self.function(&trees, at, module, marks);
                    marks = Marks::default();
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (trees.get(at + 1), trees.get(at + 2))
                    {
                        let inner = format!("{module}{name}::");
                        self.walk(body.stream(), &inner, in_tests || marks.cfg_test);
                        marks = Marks::default();
                        at += 3;
                        continue;
                    }
                }
                _ => {}
            }
            self.keep(tree, module, in_tests);
            at += 1;
        }
    }

    fn keep(&mut self, tree: &TokenTree, module: &str, in_tests: bool) {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::None => ("", ""),
                };
                self.words.push(Word { text: open.to_owned(), line, in_tests });
                self.walk(group.stream(), module, in_tests);
                let line = group.span_close().end().line;
                self.words.push(Word { text: close.to_owned(), line, in_tests });
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.contains('"') {
                    self.strings.push((text, line));
                } else {
                    self.words.push(Word { text, line, in_tests });
                }
            }
            other => self.words.push(Word { text: other.to_string(), line, in_tests }),
        }
    }

    fn attribute(&mut self, group: &Group, marks: &mut Marks) {
        if group.delimiter() != Delimiter::Bracket {
            return;
        }
        let names: Vec<String> = group
            .stream()
            .into_iter()
            .take_while(|tree| !matches!(tree, TokenTree::Punct(p) if p.as_char() == '='))
            .filter_map(|tree| if let TokenTree::Ident(name) = tree { Some(name.to_string()) } else { None })
            .collect();
        let Some(name) = names.last() else { return };
        marks.is_test |= name == "test";
        marks.is_ignored |= name == "ignore";
        marks.cfg_test |= name == "cfg" && group.stream().to_string().contains("test");
        self.attributes.push((name.clone(), group.span_open().start().line));
    }

    fn function(&mut self, trees: &[TokenTree], at: usize, module: &str, marks: Marks) {
        let Some(TokenTree::Ident(name)) = trees.get(at + 1) else { return };
        for tree in trees.iter().skip(at + 2) {
            match tree {
                TokenTree::Punct(punct) if punct.as_char() == ';' => return,
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                    let line = name.span().start().line;
                    let lines = body.span_close().end().line + 1 - line;
                    let (is_test, is_ignored) = (marks.is_test, marks.is_ignored);
                    let path = format!("{module}{name}");
                    self.functions.push(Function { path, line, lines, is_test, is_ignored });
                    return;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_in_modules_and_macros() {
        let read = Tokens::read(
            "fn plain() {\n}\n#[cfg(test)]\nmod tests {\n proptest! {\n  #[test]\n  fn inside(x in 0..1) {\n  }\n }\n #[tokio::test(flavor = \"x\")]\n #[ignore = \"slow\"]\n async fn late() {}\n}\ntrait T { fn none(); }\ntype F = fn(i32);",
            false,
        )
        .expect("lexes");
        let seen: Vec<_> = read
            .functions
            .iter()
            .map(|f| (f.path.as_str(), f.line, f.lines, f.is_test, f.is_ignored))
            .collect();
        assert_eq!(
            seen,
            [
                ("plain", 1, 2, false, false),
                ("tests::inside", 7, 2, true, false),
                ("tests::late", 12, 1, true, true)
            ]
        );
    }

    #[test]
    fn words_know_their_line_and_whether_they_are_tests() {
        let read = Tokens::read(
            "// f64\n/// f64\nfn a() -> f64 { 1.5 }\n#[cfg(test)]\nmod tests { fn b() { 2.5; } }",
            false,
        )
        .expect("lexes");
        let seen: Vec<_> = read
            .words
            .iter()
            .filter(|word| word.text.contains("f64") || word.text.contains('.'))
            .map(|word| (word.text.as_str(), word.line, word.in_tests))
            .collect();
        assert_eq!(seen, [("f64", 3, false), ("1.5", 3, false), ("2.5", 5, true)]);
    }

    #[test]
    fn attributes_and_strings_are_kept_apart_from_documentation() {
        let read = Tokens::read("#![allow(dead_code)]\n/// \"said\"\nfn a() { let _ = \"text\"; }", false)
            .expect("lexes");
        assert_eq!(read.attributes.first(), Some(&("allow".to_owned(), 1)));
        assert_eq!(read.strings, [("\"text\"".to_owned(), 3)]);
    }
}
