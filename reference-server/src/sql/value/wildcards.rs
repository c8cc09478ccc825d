//! Matching of whole texts by wildcards, in time proportional to pattern and text.

/// A pattern of wildcards.
#[derive(Clone, Debug)]
pub(super) struct Wildcards {
    pieces: Vec<Piece>,
    /// Whether letters of either case are the same.
    any_case: bool,
    /// Whether a run may hold line breaks.
    runs_over_lines: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Any number of units.
    Run,
    /// One unit that is no line break.
    One,
    /// This unit.
    Unit(u16),
    /// A unit within (or, when negated, outside) some ranges.
    Class(Vec<(u16, u16)>, bool),
}

impl Wildcards {
    /// Reads a pattern; `None` when a class does not end.
    pub(super) fn new(
        pattern: &str,
        run: char,
        one: char,
        any_case: bool,
        runs_over_lines: bool,
        escape: Option<char>,
    ) -> Option<Wildcards> {
        let mut pieces = Vec::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            match c {
                _ if Some(c) == escape => {
                    if let Some(next) = rest.next() {
                        push_units(&mut pieces, next, any_case);
                    }
                }
                _ if c == run => {
                    if pieces.last() != Some(&Piece::Run) {
                        pieces.push(Piece::Run);
                    }
                }
                _ if c == one => pieces.push(Piece::One),
                '[' => pieces.push(class(&mut rest)?),
                _ => push_units(&mut pieces, c, any_case),
            }
        }
        Some(Wildcards { pieces, any_case, runs_over_lines })
    }

    /// Whether the whole text matches.
    pub(super) fn match_text(&self, text: &str) -> bool {
        if text.is_ascii() {
            let bytes = text.as_bytes();
            return self.match_units(bytes.len(), |at| u16::from(bytes[at]));
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        self.match_units(units.len(), |at| units[at])
    }

    /// On a mismatch only the last run has to take one more unit: what came before it has matched as early as can be.
    fn match_units(&self, length: usize, unit: impl Fn(usize) -> u16) -> bool {
        let (mut piece, mut at) = (0, 0);
        let mut last_run: Option<(usize, usize)> = None;
        while at < length || piece < self.pieces.len() {
            match self.pieces.get(piece) {
                Some(Piece::Run) => {
                    last_run = Some((piece, at));
                    piece += 1;
                    continue;
                }
                Some(one) if at < length && one.matches(unit(at), self.any_case) => {
                    (piece, at) = (piece + 1, at + 1);
                    continue;
                }
                _ => {}
            }
            match last_run {
                Some((run, from))
                    if from < length && (self.runs_over_lines || !is_line_break(unit(from))) =>
                {
                    last_run = Some((run, from + 1));
                    (piece, at) = (run + 1, from + 1);
                }
                _ => return false,
            }
        }
        true
    }
}

impl Piece {
    fn matches(&self, unit: u16, any_case: bool) -> bool {
        match self {
            Piece::Run => true,
            Piece::One => !is_line_break(unit),
            Piece::Unit(wanted) => *wanted == unit || any_case && folded(unit) == *wanted,
            Piece::Class(ranges, negated) => {
                let within = |unit: u16| ranges.iter().any(|(low, high)| (*low..=*high).contains(&unit));
                if !any_case {
                    return within(unit) != *negated;
                }
                let other_case = |unit: u16| folded(unit) != unit && within(folded(unit));
                let small = char::from_u32(u32::from(unit)).map_or(unit, |c| {
                    let mut small = c.to_lowercase();
                    match (small.next(), small.next()) {
                        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
                        _ => unit,
                    }
                });
                (within(unit) || other_case(unit) || within(small)) != *negated
            }
        }
    }
}

/// The unit by which letters of either case are the same, as JavaScript's `i` flag has it.
fn folded(unit: u16) -> u16 {
    if unit < 128 {
        return u16::from((unit as u8).to_ascii_uppercase());
    }
    let Some(c) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut capitals = c.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => match u16::try_from(u32::from(capital)) {
            Ok(capital) if capital >= 128 => capital,
            _ => unit,
        },
        _ => unit,
    }
}

fn is_line_break(unit: u16) -> bool {
    matches!(unit, 0x0a | 0x0d | 0x2028 | 0x2029)
}

fn push_units(pieces: &mut Vec<Piece>, c: char, any_case: bool) {
    let wanted = |unit: &u16| Piece::Unit(if any_case { folded(*unit) } else { *unit });
    pieces.extend(c.encode_utf16(&mut [0; 2]).iter().map(wanted));
}

/// A class after its opening bracket.
fn class(rest: &mut std::str::Chars<'_>) -> Option<Piece> {
    let inner = rest.as_str();
    let end = inner.find(']')?;
    let negated = inner.starts_with('^');
    let members: Vec<u16> = inner.get(usize::from(negated)..end)?.encode_utf16().collect();
    *rest = inner.get(end + 1..)?.chars();
    let mut ranges = Vec::new();
    let mut left = members.as_slice();
    loop {
        left = match left {
            [low, dash, high, after @ ..] if *dash == u16::from(b'-') => {
                ranges.push((*low, *high));
                after
            }
            [one, after @ ..] => {
                ranges.push((*one, *one));
                after
            }
            [] => return Some(Piece::Class(ranges, negated)),
        };
    }
}
