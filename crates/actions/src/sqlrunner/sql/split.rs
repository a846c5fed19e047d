//! Cuts a script into statements: at `;`, at `GO` lines, and where a reserved word must begin the next one.
//! T-SQL needs no semicolons, so the words decide; inside brackets nothing is cut.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use crate::fault::FaultCode;

use super::dialect::TSql;
use super::{Place, Trouble};

/// Bounds of actions.md 10.
const MAX_STATEMENTS: usize = 200;
const MAX_NESTING: usize = 100;
/// Words and operators of a script, literals and commas not counted: long lists are common, long formulas are not.
const MAX_WORDS: usize = 50_000;

/// The tokens of one statement, without blanks and comments; never empty.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) tokens: Vec<TokenWithSpan>,
}

pub(super) fn place(token: &TokenWithSpan) -> Place {
    let (start, end) = (token.span.start, token.span.end);
    let width = if start.line == end.line { end.column.saturating_sub(start.column) } else { 1 };
    Place { line: start.line, column: start.column, width: usize::try_from(width).unwrap_or(1).max(1) }
}

/// The word of a token, if it is one without quotes.
pub(super) fn word(token: &TokenWithSpan) -> Option<&Word> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word),
        _ => None,
    }
}

pub(super) fn is_word(token: &TokenWithSpan, text: &str) -> bool {
    word(token).is_some_and(|word| word.value.eq_ignore_ascii_case(text))
}

pub(super) fn statements(text: &str) -> Result<Vec<Statement>, Trouble> {
    let dialect = TSql::default();
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        let place = Place { line: error.location.line.max(1), column: error.location.column.max(1), width: 1 };
        let help = "close what is opened there, or remove the character";
        Trouble::new(FaultCode::SqlSyntax, lower_first(&error.message), help).at(place)
    })?;
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect();
    check_size(&tokens)?;
    let mut cutter = Cutter::default();
    let go = go_lines(&tokens);
    for (at, token) in tokens.iter().enumerate() {
        cutter.take(token, tokens.get(at + 1), tokens.get(at + 2), go.get(at) == Some(&true));
    }
    let statements = cutter.finish();
    if statements.len() > MAX_STATEMENTS {
        let message = format!("the SQL has more than {MAX_STATEMENTS} statements");
        return Err(Trouble::new(FaultCode::TooLarge, message, "split the file"));
    }
    Ok(statements)
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn check_size(tokens: &[TokenWithSpan]) -> Result<(), Trouble> {
    let plain = |token: &Token| {
        matches!(
            token,
            Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) | Token::NationalStringLiteral(_)
        )
    };
    if tokens.iter().filter(|token| !plain(&token.token)).count() > MAX_WORDS {
        return Err(Trouble::new(FaultCode::TooLarge, "the SQL has too many words to be understood", "shorten it"));
    }
    let mut depth = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            let message = format!("more than {MAX_NESTING} brackets stand inside each other");
            return Err(Trouble::new(FaultCode::TooLarge, message, "make the nesting flatter").at(place(token)));
        }
    }
    Ok(())
}

/// Which tokens belong to a line that separates batches: `GO`, perhaps with a count, and nothing else.
fn go_lines(tokens: &[TokenWithSpan]) -> Vec<bool> {
    let mut marks = vec![false; tokens.len()];
    let line = |at: usize| tokens.get(at).map(|token: &TokenWithSpan| token.span.start.line);
    for at in 0..tokens.len() {
        let first = at == 0 || tokens[at - 1].span.end.line < tokens[at].span.start.line;
        if !first || !is_word(&tokens[at], "GO") {
            continue;
        }
        let counted = matches!(tokens.get(at + 1), Some(next) if matches!(next.token, Token::Number(..)) && line(at + 1) == line(at));
        let end = at + 1 + usize::from(counted);
        if line(end) != line(at) {
            marks[at..end].fill(true);
        }
    }
    marks
}

/// The kind of the statement being gathered, as far as cutting needs it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    /// Waits for the verb that belongs to it: `WITH … SELECT`, `INSERT … SELECT`.
    AwaitsVerb,
    /// `UPDATE` before its `SET`.
    AwaitsSet,
    /// Takes every word up to a separator: the definition of a procedure or view, and `MERGE`.
    Greedy,
    /// `ALTER`, whose clauses begin with words that also begin statements.
    Alters,
    Other,
}

#[derive(Default)]
struct Cutter {
    done: Vec<Statement>,
    current: Vec<TokenWithSpan>,
    open: Open,
    depth: usize,
    cases: usize,
}

impl Cutter {
    fn take(
        &mut self,
        token: &TokenWithSpan,
        next: Option<&TokenWithSpan>,
        after: Option<&TokenWithSpan>,
        separator: bool,
    ) {
        if separator {
            self.depth = 0;
            return self.cut();
        }
        match &token.token {
            Token::SemiColon if self.depth == 0 => return self.cut(),
            Token::LParen => self.depth += 1,
            Token::RParen => self.depth = self.depth.saturating_sub(1),
            Token::Word(word) if self.depth == 0 && word.quote_style.is_none() => self.look_at(word, next, after),
            _ => {}
        }
        if self.current.is_empty() && self.open == Open::Nothing {
            self.open = Open::Other;
        }
        self.current.push(token.clone());
    }

    fn look_at(&mut self, word: &Word, next: Option<&TokenWithSpan>, after: Option<&TokenWithSpan>) {
        match word.keyword {
            Keyword::CASE => self.cases += 1,
            Keyword::END if self.cases > 0 => self.cases -= 1,
            Keyword::ELSE if self.cases > 0 => {}
            _ if self.current.is_empty() => self.begin(word, next),
            _ if self.begins_next(word, next, after) => {
                self.cut();
                self.begin(word, next);
            }
            _ => {}
        }
    }

    fn begin(&mut self, word: &Word, next: Option<&TokenWithSpan>) {
        let defines = ["PROC", "PROCEDURE", "FUNCTION", "VIEW", "TRIGGER", "OR"];
        let defines = next.is_some_and(|token| defines.iter().any(|text| is_word(token, text)));
        self.open = match word.keyword {
            Keyword::WITH | Keyword::INSERT => Open::AwaitsVerb,
            Keyword::UPDATE => Open::AwaitsSet,
            Keyword::CREATE | Keyword::ALTER if defines => Open::Greedy,
            Keyword::MERGE => Open::Greedy,
            Keyword::ALTER => Open::Alters,
            _ => Open::Other,
        };
    }

    /// Whether a word at the top level of a statement can only be the first of the next one.
    fn begins_next(&mut self, word: &Word, next: Option<&TokenWithSpan>, after: Option<&TokenWithSpan>) -> bool {
        let previous = self.current.last();
        let after_word = |text: &str| previous.is_some_and(|token| is_word(token, text));
        let verb = matches!(
            word.keyword,
            Keyword::SELECT
                | Keyword::INSERT
                | Keyword::UPDATE
                | Keyword::DELETE
                | Keyword::MERGE
                | Keyword::EXEC
                | Keyword::EXECUTE
        );
        if verb && self.open == Open::AwaitsVerb {
            self.begin(word, next);
            return false;
        }
        if word.keyword == Keyword::SET && self.open == Open::AwaitsSet {
            self.open = Open::Other;
            return false;
        }
        if matches!(word.keyword, Keyword::VALUES | Keyword::DEFAULT) && self.open == Open::AwaitsVerb {
            self.open = Open::Other;
        }
        // After a dot or AS a word is a name, whatever else it means; what a definition holds is its own.
        let name = after_word("AS") || previous.is_some_and(|token| token.token == Token::Period);
        let next_is = |words: &[&str]| next.is_some_and(|token| words.iter().any(|text| is_word(token, text)));
        let clause = match word.keyword {
            Keyword::DROP => !next_is(&["TABLE", "INDEX", "VIEW", "PROC", "PROCEDURE"]),
            Keyword::ALTER => !next_is(&["TABLE", "INDEX", "VIEW"]),
            Keyword::SET => next.is_some_and(|token| token.token == Token::LParen),
            Keyword::WITH => true,
            _ => false,
        };
        if name || self.open == Open::Greedy || (self.open == Open::Alters && clause) {
            return false;
        }
        match word.keyword {
            Keyword::SELECT => {
                let continued = ["UNION", "ALL", "EXCEPT", "INTERSECT", "FOR"].iter().any(|text| after_word(text));
                !continued
            }
            Keyword::WITH => {
                let named = next.is_some_and(|token| matches!(token.token, Token::Word(_)));
                named && after.is_some_and(|token| token.token == Token::LParen || is_word(token, "AS"))
            }
            Keyword::SET => true,
            Keyword::IF => !after_word("TABLE") && !after_word("INDEX") && !after_word("VIEW"),
            Keyword::UPDATE => !after_word("FOR"),
            Keyword::DECLARE
            | Keyword::DROP
            | Keyword::CREATE
            | Keyword::ALTER
            | Keyword::TRUNCATE
            | Keyword::EXEC
            | Keyword::EXECUTE
            | Keyword::PRINT
            | Keyword::USE
            | Keyword::WHILE
            | Keyword::RAISERROR
            | Keyword::THROW
            | Keyword::WAITFOR
            | Keyword::RETURN
            | Keyword::INSERT
            | Keyword::DELETE
            | Keyword::MERGE
            | Keyword::BEGIN
            | Keyword::END
            | Keyword::ELSE => true,
            _ => false,
        }
    }

    fn cut(&mut self) {
        if !self.current.is_empty() {
            self.done.push(Statement { tokens: std::mem::take(&mut self.current) });
        }
        (self.open, self.cases) = (Open::Nothing, 0);
    }

    fn finish(mut self) -> Vec<Statement> {
        self.cut();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first token and the number of tokens of each statement.
    fn cut(text: &str) -> Vec<String> {
        let starts = |statement: &Statement| format!("{} {}", statement.tokens[0].token, statement.tokens.len());
        statements(text).unwrap().iter().map(starts).collect()
    }

    #[test]
    fn statements_end_where_the_next_one_begins() {
        let rows: &[(&str, &[&str])] = &[
            ("", &[]),
            (";;-- nothing\n/* at all */;", &[]),
            ("SELECT 1; SELECT 2", &["SELECT 2", "SELECT 2"]),
            ("SELECT a FROM t SELECT b FROM u", &["SELECT 4", "SELECT 4"]),
            ("SELECT a FROM t UNION ALL SELECT b FROM u", &["SELECT 10"]),
            ("SELECT a FROM t\nGO\nSELECT b", &["SELECT 4", "SELECT 2"]),
            ("SELECT a\ngo 3 -- thrice\nSELECT b", &["SELECT 2", "SELECT 2"]),
            ("SELECT a GO FROM t", &["SELECT 5"]),
            ("DECLARE @d DATE = '2020-01-01' SET @d = 1 SELECT @d", &["DECLARE 5", "SET 4", "SELECT 2"]),
            ("SET NOCOUNT ON SELECT 1", &["SET 3", "SELECT 2"]),
            ("WITH a AS (SELECT 1 x) SELECT x FROM a", &["WITH 12"]),
            ("SELECT 1 WITH a AS (SELECT 1 x) SELECT x FROM a", &["SELECT 2", "WITH 12"]),
            ("SELECT a FROM t WITH (NOLOCK) WHERE 1=1", &["SELECT 12"]),
            ("SELECT a FROM t GROUP BY a WITH ROLLUP", &["SELECT 9"]),
            ("INSERT INTO #t (a) SELECT 1 SELECT 2", &["INSERT 8", "SELECT 2"]),
            ("INSERT INTO #t EXEC p SELECT 2", &["INSERT 5", "SELECT 2"]),
            ("INSERT #t VALUES (1), (2) SELECT 3", &["INSERT 10", "SELECT 2"]),
            ("INSERT INTO #t DEFAULT VALUES SELECT 3", &["INSERT 5", "SELECT 2"]),
            ("CREATE TABLE #t (a INT) ON [PRIMARY] SELECT 1", &["CREATE 9", "SELECT 2"]),
            ("CREATE INDEX i ON #t (a) SELECT 1", &["CREATE 8", "SELECT 2"]),
            ("CREATE VIEW v AS SELECT 1 SELECT 2", &["CREATE 8"]),
            ("ALTER TABLE #t ADD b INT SELECT 1", &["ALTER 6", "SELECT 2"]),
            ("ALTER TABLE #t DROP COLUMN b DROP TABLE #t", &["ALTER 6", "DROP 3"]),
            ("ALTER TABLE #t ALTER COLUMN b INT NOT NULL SELECT 1", &["ALTER 9", "SELECT 2"]),
            ("SELECT t.throw, a AS print FROM t", &["SELECT 10"]),
            ("UPDATE #t SET a = 1 SET NOCOUNT ON", &["UPDATE 6", "SET 3"]),
            ("CREATE TABLE #t (a INT) SELECT 1", &["CREATE 7", "SELECT 2"]),
            ("IF OBJECT_ID('x') IS NOT NULL DROP TABLE #t SELECT 1", &["IF 8", "DROP 3", "SELECT 2"]),
            ("DROP TABLE IF EXISTS #t SELECT 1", &["DROP 5", "SELECT 2"]),
            ("SELECT CASE WHEN 1=1 THEN 1 ELSE 2 END SELECT 2", &["SELECT 11", "SELECT 2"]),
            ("BEGIN SELECT 1 END", &["BEGIN 1", "SELECT 2", "END 1"]),
            ("SELECT [SELECT], [DROP] FROM t", &["SELECT 6"]),
        ];
        for (text, expected) in rows {
            assert_eq!(cut(text), *expected, "{text}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let deep = format!("SELECT {}1{}", "(".repeat(101), ")".repeat(101));
        assert_eq!(statements(&deep).unwrap_err().code, FaultCode::TooLarge);
        assert!(statements(&format!("SELECT {}1{}", "(".repeat(100), ")".repeat(100))).is_ok());
        assert_eq!(statements(&"SELECT 1;".repeat(201)).unwrap_err().code, FaultCode::TooLarge);
        assert!(statements(&"SELECT 1;".repeat(200)).is_ok());
        assert_eq!(statements(&"+1".repeat(50_001)).unwrap_err().code, FaultCode::TooLarge);
    }

    #[test]
    fn what_is_never_closed_is_placed() {
        let trouble = statements("SELECT 1,\n  'abc").unwrap_err();
        assert_eq!((trouble.code, trouble.place.unwrap().line), (FaultCode::SqlSyntax, 2));
    }
}
