//! Statements as the rest of the engine sees them, free of the parser's types, so that the parser stays replaceable.
//!
//! Chains of left-associative operators are lists, not trees: a condition with thousands of members is no deeper than
//! one with two, so that nothing that walks the tree can run out of stack.

pub use super::value::operators::Binary as Operator;

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Reads rows.
    Select(Box<Select>),
    /// Adds records.
    Insert(Insert),
    /// Changes records.
    Update(Update),
    /// Removes records.
    Delete(Delete),
    /// A statement of another kind: its first word in lower case.
    Other(String),
}

/// A SELECT.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Select {
    /// DISTINCT.
    pub distinct: bool,
    /// TOP.
    pub top: Option<Top>,
    /// The select list.
    pub items: Vec<Item>,
    /// The first table.
    pub from: Option<TableName>,
    /// The tables joined to it, in order.
    pub joins: Vec<Join>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Vec<Expr>,
    /// HAVING.
    pub having: Option<Expr>,
    /// ORDER BY.
    pub order_by: Vec<OrderKey>,
    /// LIMIT.
    pub limit: Option<u64>,
    /// OFFSET.
    pub offset: Option<u64>,
    /// Something that parses and fails when it runs: set operations, lists of tables, sub-selects in FROM.
    pub unsupported: Option<Unsupported>,
}

/// Forms that parse and that no engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// UNION, EXCEPT, INTERSECT, `FROM a, b`, NATURAL.
    Form,
    /// A sub-select in place of a table.
    DerivedTable,
    /// `NULLS FIRST` (true) or `NULLS LAST`.
    NullsOrder(bool),
}

/// TOP n \[PERCENT\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Top {
    /// How many, or how many in a hundred.
    pub count: u64,
    /// PERCENT.
    pub percent: bool,
}

/// One member of a select list.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `*`.
    Star,
    /// `table.*`.
    TableStar(String),
    /// An expression.
    Expr {
        /// The expression.
        expr: Expr,
        /// Its alias.
        alias: Option<String>,
        /// True when the alias stands in quotes that make strings.
        text_alias: bool,
    },
}

/// A table as a statement names it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableName {
    /// The database.
    pub database: Option<String>,
    /// The table.
    pub table: String,
    /// Its alias.
    pub alias: Option<String>,
}

impl TableName {
    /// The name columns are qualified with.
    pub fn qualifier(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.table)
    }
}

/// A table joined to what stands before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// How.
    pub kind: JoinKind,
    /// The table.
    pub table: TableName,
    /// ON.
    pub on: Option<Expr>,
}

/// How tables are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Matches only (also CROSS JOIN, which has no condition).
    Inner,
    /// All of the left.
    Left,
    /// All of the right.
    Right,
    /// All of both.
    Full,
}

/// A member of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderKey {
    /// What to order by.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
}

/// An INSERT.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// The table.
    pub table: TableName,
    /// The columns; `None` when the statement names none.
    pub columns: Option<Vec<String>>,
    /// The values, row by row; `None` for INSERT … SELECT.
    pub rows: Option<Vec<Vec<Expr>>>,
}

/// An UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The table.
    pub table: TableName,
    /// SET: column and value.
    pub set: Vec<(String, Expr)>,
    /// WHERE.
    pub filter: Option<Expr>,
}

/// A DELETE.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// The table.
    pub table: TableName,
    /// WHERE.
    pub filter: Option<Expr>,
}

/// A column as a statement names it: one to three names between dots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnName {
    /// The names before the last.
    pub qualifiers: Vec<String>,
    /// The last.
    pub name: String,
}

impl ColumnName {
    /// The name as it was written.
    pub fn written(&self) -> String {
        let mut text = self.qualifiers.join(".");
        if !text.is_empty() {
            text.push('.');
        }
        text + &self.name
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// TRUE or FALSE.
    Bool(bool),
    /// NULL.
    Null,
    /// A column.
    Column(ColumnName),
    /// `col->key->0`.
    Path(Box<Expr>, Vec<Step>),
    /// An object literal.
    Object(Vec<(String, Expr)>),
    /// An array literal.
    Array(Vec<Expr>),
    /// Parentheses.
    Paren(Box<Expr>),
    /// A sign or `~`.
    Unary(Sign, Box<Expr>),
    /// Operators of any precedence above AND, applied from left to right.
    Chain(Box<Expr>, Vec<(Operator, Expr)>),
    /// AND.
    All(Vec<Expr>),
    /// OR.
    Any(Vec<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// IS \[NOT\] NULL, TRUE or FALSE.
    Is {
        /// What is tested.
        expr: Box<Expr>,
        /// For what.
        what: Is,
        /// NOT.
        negated: bool,
    },
    /// BETWEEN.
    Between {
        /// What is tested.
        expr: Box<Expr>,
        /// The lower bound.
        low: Box<Expr>,
        /// The upper bound.
        high: Box<Expr>,
        /// NOT.
        negated: bool,
    },
    /// IN.
    In {
        /// What is tested.
        expr: Box<Expr>,
        /// The list.
        list: Vec<Expr>,
        /// NOT.
        negated: bool,
    },
    /// LIKE, REGEXP, GLOB.
    Match {
        /// Which.
        kind: Match,
        /// What is tested.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// ESCAPE of a LIKE: a text.
        escape: Option<Box<Expr>>,
        /// NOT.
        negated: bool,
    },
    /// A comparison with ANY or ALL of a list.
    Quantified {
        /// The left side.
        expr: Box<Expr>,
        /// The comparison.
        operator: Operator,
        /// ALL rather than ANY.
        all: bool,
        /// The list.
        list: Vec<Expr>,
    },
    /// CASE.
    Case {
        /// What the branches are compared with.
        operand: Option<Box<Expr>>,
        /// WHEN and THEN.
        branches: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// CAST or CONVERT.
    Cast {
        /// What is converted.
        expr: Box<Expr>,
        /// To what.
        to: TypeName,
        /// The style of a CONVERT.
        style: Option<Box<Expr>>,
        /// CONVERT rather than CAST.
        convert: bool,
    },
    /// A function of one row.
    Function {
        /// Its name as typed.
        name: String,
        /// Its arguments.
        arguments: Vec<Expr>,
        /// False for names without parentheses, such as CURRENT_TIMESTAMP.
        parens: bool,
    },
    /// A function of many rows.
    Aggregate(Aggregate),
    /// A sub-select, which fails when it runs.
    Subquery,
}

/// A call of a function of many rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Its name in capitals.
    pub name: String,
    /// DISTINCT.
    pub distinct: bool,
    /// Its argument; `None` for `*`.
    pub argument: Option<Box<Expr>>,
}

/// The type of a CAST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// Its name as typed.
    pub name: String,
    /// The numbers in parentheses behind it.
    pub sizes: Vec<u32>,
}

/// A step into a nested value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member.
    Member(String),
    /// An element.
    Element(u32),
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `-`.
    Minus,
    /// `+`.
    Plus,
    /// `~`.
    Invert,
}

/// What IS tests for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// NULL.
    Null,
    /// TRUE.
    True,
    /// FALSE.
    False,
}

/// A kind of pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// LIKE, ILIKE.
    Like,
    /// REGEXP.
    Regexp,
    /// GLOB.
    Glob,
}

/// The operator as it is printed.
pub fn operator_text(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
        Operator::Concatenate => "||",
        Operator::BitAnd => "&",
        Operator::BitOr => "|",
        Operator::BitXor => "^",
        Operator::ShiftLeft => "<<",
        Operator::ShiftRight => ">>",
        Operator::Equal => "=",
        Operator::DeepEqual => "==",
        Operator::NotEqual => "!=",
        Operator::NotDeepEqual => "!==",
        Operator::Less => "<",
        Operator::LessEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterEqual => ">=",
    }
}

impl Expr {
    /// Calls `visit` with each expression directly inside this one.
    pub fn for_each_child<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match self {
            Expr::Number(_)
            | Expr::Text(_)
            | Expr::Bool(_)
            | Expr::Null
            | Expr::Column(_)
            | Expr::Subquery => {}
            Expr::Path(expr, _) | Expr::Paren(expr) | Expr::Unary(_, expr) | Expr::Not(expr) => visit(expr),
            Expr::Is { expr, .. } => visit(expr),
            Expr::Object(members) => members.iter().for_each(|(_, member)| visit(member)),
            Expr::Array(items) | Expr::All(items) | Expr::Any(items) => items.iter().for_each(visit),
            Expr::Chain(first, rest) => {
                visit(first);
                rest.iter().for_each(|(_, expr)| visit(expr));
            }
            Expr::Between { expr, low, high, .. } => {
                [expr, low, high].into_iter().for_each(|expr| visit(expr))
            }
            Expr::In { expr, list, .. } | Expr::Quantified { expr, list, .. } => {
                visit(expr);
                list.iter().for_each(visit);
            }
            Expr::Match { expr, pattern, escape, .. } => {
                visit(expr);
                visit(pattern);
                escape.iter().for_each(|escape| visit(escape));
            }
            Expr::Case { operand, branches, otherwise } => {
                operand.iter().for_each(|expr| visit(expr));
                for (when, then) in branches {
                    visit(when);
                    visit(then);
                }
                otherwise.iter().for_each(|expr| visit(expr));
            }
            Expr::Cast { expr, style, .. } => {
                visit(expr);
                style.iter().for_each(|style| visit(style));
            }
            Expr::Function { arguments, .. } => arguments.iter().for_each(visit),
            Expr::Aggregate(aggregate) => aggregate.argument.iter().for_each(|expr| visit(expr)),
        }
    }

    /// True when this expression or one inside it satisfies `wanted`.
    pub fn any(&self, wanted: &mut dyn FnMut(&Expr) -> bool) -> bool {
        if wanted(self) {
            return true;
        }
        let mut found = false;
        self.for_each_child(&mut |child| found = found || child.any(wanted));
        found
    }

    /// True when a function of many rows is in it.
    pub fn has_aggregate(&self) -> bool {
        self.any(&mut |expr| matches!(expr, Expr::Aggregate(_)))
    }

    /// Calls `visit` with each column in it, in the order they are written.
    pub fn for_each_column<'e>(&'e self, visit: &mut dyn FnMut(&'e ColumnName)) {
        if let Expr::Column(column) = self {
            visit(column);
        }
        self.for_each_child(&mut |child| child.for_each_column(visit));
    }
}
