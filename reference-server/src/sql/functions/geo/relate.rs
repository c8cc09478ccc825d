//! Whether shapes contain or touch each other, in the plane of longitude and latitude.

use super::shape::{Line, Position, Shape};

/// Whether `a` contains `b` completely. Contact with the boundary alone is outside.
pub(super) fn contains(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        (Shape::Point(a), Shape::Point(b)) => a.is_at(b),
        (Shape::MultiPoint(points), Shape::Point(b)) => points.iter().any(|point| point.is_at(b)),
        (Shape::MultiPoint(points), Shape::MultiPoint(others)) => {
            others.iter().all(|other| points.iter().any(|point| point.is_at(other)))
        }
        (Shape::LineString(line), Shape::Point(point)) => is_on_line(point, line, true),
        (Shape::LineString(line), Shape::LineString(points) | Shape::MultiPoint(points)) => {
            points.iter().all(|point| is_on_line(point, line, false))
                && points.iter().any(|point| is_on_line(point, line, true))
        }
        (Shape::Polygon(rings), Shape::Point(point)) => is_in_polygon(point, rings, false),
        (Shape::Polygon(rings), Shape::MultiPoint(points)) => {
            points.iter().all(|point| is_in_polygon(point, rings, false))
        }
        (Shape::Polygon(rings), Shape::LineString(line)) => {
            let middle = |pair: &[Position]| Position {
                x: (pair[0].x + pair[1].x) / 2.0,
                y: (pair[0].y + pair[1].y) / 2.0,
                more: Vec::new(),
            };
            Bounds::of(rings.iter().flatten()).contains(&Bounds::of(line))
                && line.windows(2).any(|pair| is_in_polygon(&middle(pair), rings, false))
        }
        (Shape::Polygon(rings), Shape::Polygon(others)) => {
            Bounds::of(rings.iter().flatten()).contains(&Bounds::of(others.iter().flatten()))
                && others.iter().flatten().all(|point| is_in_polygon(point, rings, true))
        }
        _ => false,
    }
}

/// Whether two shapes have a point in common.
pub(super) fn touches(a: Shape, b: Shape) -> bool {
    let (a, b) = (a.parts(), b.parts());
    a.iter().any(|a| b.iter().any(|b| parts_touch(a, b)))
}

fn parts_touch(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        (Shape::Point(a), Shape::Point(b)) => a.is_at(b),
        (Shape::Point(point), Shape::LineString(line)) | (Shape::LineString(line), Shape::Point(point)) => {
            is_on_line(point, line, false)
        }
        (Shape::Point(point), Shape::Polygon(rings)) | (Shape::Polygon(rings), Shape::Point(point)) => {
            is_in_polygon(point, rings, true)
        }
        (Shape::LineString(a), Shape::LineString(b)) => lines_cross([a], [b]),
        (Shape::LineString(line), Shape::Polygon(rings))
        | (Shape::Polygon(rings), Shape::LineString(line)) => {
            line.iter().any(|point| is_in_polygon(point, rings, true)) || lines_cross([line], rings)
        }
        (Shape::Polygon(a), Shape::Polygon(b)) => {
            let corner_within = |of: &[Line], within: &[Line]| {
                of.first().is_some_and(|ring| ring.iter().any(|point| is_in_polygon(point, within, true)))
            };
            corner_within(a, b) || corner_within(b, a) || lines_cross(a, b)
        }
        _ => false,
    }
}

/// Whether a point lies on a line; when `inside`, not at its two ends.
fn is_on_line(point: &Position, line: &[Position], inside: bool) -> bool {
    let last = line.len().saturating_sub(2);
    line.windows(2).enumerate().any(|(at, pair)| {
        // Only the end's own segment keeps its end away, and where first and last are neighbours the last does.
        let (without_start, without_end) = match (inside, at == 0, at == last) {
            (true, true, true) => (true, true),
            (true, _, true) => (false, true),
            (true, true, false) => (true, false),
            _ => (false, false),
        };
        is_on_segment(point, &pair[0], &pair[1], without_start, without_end)
    })
}

fn is_on_segment(
    point: &Position,
    start: &Position,
    end: &Position,
    without_start: bool,
    without_end: bool,
) -> bool {
    let (across, up) = (end.x - start.x, end.y - start.y);
    if (point.x - start.x) * up - (point.y - start.y) * across != 0.0 {
        return false;
    }
    let along_x = across.abs() >= up.abs();
    let (from, at, to) = if along_x { (start.x, point.x, end.x) } else { (start.y, point.y, end.y) };
    let rises = if along_x { across > 0.0 } else { up > 0.0 };
    let after = |low: f64, high: f64, strictly: bool| if strictly { low < high } else { low <= high };
    if rises {
        after(from, at, without_start) && after(at, to, without_end)
    } else {
        after(to, at, without_end) && after(at, from, without_start)
    }
}

/// Whether a point lies in a polygon; on its boundary only when `boundary`.
fn is_in_polygon(point: &Position, rings: &[Line], boundary: bool) -> bool {
    let Some((outer, holes)) = rings.split_first() else {
        return false;
    };
    is_in_ring(point, outer, boundary) && !holes.iter().any(|hole| is_in_ring(point, hole, !boundary))
}

/// Even-odd rule.
fn is_in_ring(point: &Position, ring: &[Position], boundary: bool) -> bool {
    let ring = match ring {
        [first, middle @ .., last] if first.is_at(last) => &ring[..=middle.len()],
        ring => ring,
    };
    let Some(mut before) = ring.last() else {
        return false;
    };
    let mut inside = false;
    for corner in ring {
        let on_boundary = point.y * (corner.x - before.x)
            + corner.y * (before.x - point.x)
            + before.y * (point.x - corner.x)
            == 0.0
            && (corner.x - point.x) * (before.x - point.x) <= 0.0
            && (corner.y - point.y) * (before.y - point.y) <= 0.0;
        if on_boundary {
            return boundary;
        }
        let crosses = (corner.y > point.y) != (before.y > point.y)
            && point.x < (before.x - corner.x) * (point.y - corner.y) / (before.y - corner.y) + corner.x;
        inside ^= crosses;
        before = corner;
    }
    inside
}

/// Whether some segments of two sets of lines have a point in common. Parallel ones have none.
fn lines_cross<'a>(
    a: impl IntoIterator<Item = &'a Line>,
    b: impl IntoIterator<Item = &'a Line> + Clone,
) -> bool {
    a.into_iter().flat_map(|line| line.windows(2)).any(|first| {
        let bounds = Bounds::of(first);
        b.clone()
            .into_iter()
            .flat_map(|line| line.windows(2))
            .any(|second| bounds.overlaps(&Bounds::of(second)) && segments_cross(first, second))
    })
}

fn segments_cross(first: &[Position], second: &[Position]) -> bool {
    let ([a, b], [c, d]) = (first, second) else {
        return false;
    };
    let denominator = (d.y - c.y) * (b.x - a.x) - (d.x - c.x) * (b.y - a.y);
    let first = ((d.x - c.x) * (a.y - c.y) - (d.y - c.y) * (a.x - c.x)) / denominator;
    let second = ((b.x - a.x) * (a.y - c.y) - (b.y - a.y) * (a.x - c.x)) / denominator;
    denominator != 0.0 && (0.0..=1.0).contains(&first) && (0.0..=1.0).contains(&second)
}

/// The box around some points.
struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Bounds {
    fn of<'p>(points: impl IntoIterator<Item = &'p Position>) -> Bounds {
        let empty = Bounds {
            west: f64::INFINITY,
            south: f64::INFINITY,
            east: f64::NEG_INFINITY,
            north: f64::NEG_INFINITY,
        };
        points.into_iter().fold(empty, |bounds, point| Bounds {
            west: bounds.west.min(point.x),
            south: bounds.south.min(point.y),
            east: bounds.east.max(point.x),
            north: bounds.north.max(point.y),
        })
    }

    fn contains(&self, other: &Bounds) -> bool {
        self.west <= other.west
            && self.east >= other.east
            && self.south <= other.south
            && self.north >= other.north
    }

    fn overlaps(&self, other: &Bounds) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }
}
