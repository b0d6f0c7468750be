//! Where everything goes: columns from left to right (Sugiyama's method: ranks, fewest crossings, straight lines).
use super::{Item, Link, Picture, Relation, Role, State, shorten};
use crate::report::width::{width, wrap};

/// The width of a character of a name.
pub const CHAR: f64 = 7.2;
/// The height of a line.
pub const LINE: f64 = 16.0;
/// Space around everything.
pub const MARGIN: f64 = 20.0;
/// Space between a box and its text.
pub const PADDING: f64 = 10.0;
/// Space before the texts below, for their numbers.
pub const INDENT: f64 = 38.0;
/// The most columns of a line in a box.
const MAX_COLUMNS: usize = 30;
/// The most columns of a kind and namespace.
const MAX_CAPTION: usize = 36;
const MIN_COLUMNS: usize = 14;
/// The most columns of a link's label.
const MAX_LABEL: usize = 22;
/// Space between boxes of a column.
const SEPARATION: f64 = 22.0;
/// What a line that passes a column takes of its height.
const PASSING: f64 = 14.0;
/// Space between columns, at least.
const GAP: f64 = 70.0;
/// The least width of a picture, so that what is written below has room.
const MIN_WIDTH: f64 = 560.0;

/// A place in the picture, in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// A box with the lines of an item.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The upper left corner.
    pub at: Point,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
    /// The kind and namespace.
    pub caption: String,
    /// The name.
    pub name: String,
    /// What else is written in it.
    pub facts: Vec<String>,
}

/// A link's way.
#[derive(Clone, Debug)]
pub struct Route {
    /// The points it goes through, horizontally; the arrow's head is at the last.
    pub points: Vec<Point>,
    /// Where its label or its cross is.
    pub middle: Point,
    /// What it is called.
    pub label: String,
}

/// A picture with places.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The width of the whole.
    pub width: f64,
    /// The height of the whole.
    pub height: f64,
    /// Where the items are.
    pub boxes: Vec<Placed>,
    /// Where the links are.
    pub routes: Vec<Route>,
    /// Where the first line of the texts below is.
    pub legend: Point,
    /// The texts below: the number of the trouble, or none for notes and further lines, and a line.
    pub lines: Vec<(Option<usize>, String)>,
}

/// An item, or a point at which a long link passes a column.
struct Vertex {
    rank: usize,
    height: f64,
    y: f64,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Finds a place for everything.
pub fn layout(picture: &Picture) -> Layout {
    let mut boxes: Vec<Placed> = picture.items.iter().map(placed).collect();
    let ranks = ranks(picture);
    let columns = ranks.iter().max().map_or(0, |last| last + 1);
    let mut vertices: Vec<Vertex> = Vec::new();
    for (placed, rank) in boxes.iter().zip(&ranks) {
        let height = placed.height + SEPARATION;
        vertices.push(Vertex { rank: *rank, height, y: 0.0, left: Vec::new(), right: Vec::new() });
    }
    let chains: Vec<Vec<usize>> = picture.links.iter().map(|link| chain(link, &mut vertices)).collect();
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); columns];
    for (index, vertex) in vertices.iter().enumerate() {
        if let Some(column) = order.get_mut(vertex.rank) {
            column.push(index);
        }
    }
    uncross(&mut order, &vertices);
    straighten(&order, &mut vertices);

    // columns: each as wide as its widest box, with room for the labels between them
    let mut widths = vec![0.0_f64; columns];
    for (placed, rank) in boxes.iter().zip(&ranks) {
        if let Some(column) = widths.get_mut(*rank) {
            *column = column.max(placed.width);
        }
    }
    let mut gaps = vec![GAP; columns];
    for (link, chain) in picture.links.iter().zip(&chains) {
        let label = label(picture, link);
        let rank = chain.first().and_then(|first| vertices.get(*first)).map_or(0, |vertex| vertex.rank);
        if let Some(gap) = gaps.get_mut(rank) {
            *gap = gap.max(width(&label) as f64 * 6.0 + 36.0);
        }
    }
    let mut lefts = Vec::new();
    let mut x = MARGIN;
    for (column, gap) in widths.iter().zip(&gaps) {
        lefts.push(x);
        x += column + gap;
    }
    let right = x - gaps.last().copied().unwrap_or(0.0) + MARGIN;
    let top = MARGIN + 34.0;
    let lowest = |vertex: &Vertex| vertex.y - vertex.height / 2.0;
    let first = vertices.iter().map(lowest).fold(f64::INFINITY, f64::min);
    let shift = if first.is_finite() { top + 8.0 - first } else { top };
    for vertex in &mut vertices {
        vertex.y += shift;
    }
    for ((placed, vertex), rank) in boxes.iter_mut().zip(&vertices).zip(&ranks) {
        placed.width = widths.get(*rank).copied().unwrap_or(placed.width);
        placed.at =
            Point { x: lefts.get(*rank).copied().unwrap_or(MARGIN), y: (vertex.y - placed.height / 2.0).round() };
    }
    let mut routes = route(picture, &chains, &vertices, &boxes, &lefts, &widths);
    place_labels(picture, &mut routes);
    let bottom = vertices.iter().map(|vertex| vertex.y + vertex.height / 2.0).fold(top, f64::max);
    let width = right.max(MIN_WIDTH).round();
    let lines = legend(picture, ((width - 2.0 * MARGIN - INDENT) / CHAR) as usize);
    let legend = Point { x: MARGIN, y: (bottom + 18.0).round() };
    let height = (legend.y + lines.len() as f64 * LINE + MARGIN).round();
    Layout { width, height, boxes, routes, legend, lines }
}

/// The size of a box and what is written in it.
fn placed(item: &Item) -> Placed {
    let caption = shorten(&item.caption(), MAX_CAPTION);
    let name = shorten(&item.name, MAX_COLUMNS);
    let facts: Vec<String> = item.facts.iter().map(|fact| shorten(fact, MAX_COLUMNS + 2)).collect();
    let columns = facts.iter().map(|fact| width(fact)).chain([width(&name), width(&caption)]).max().unwrap_or(0);
    let columns = columns.clamp(MIN_COLUMNS, MAX_CAPTION);
    let height = 2.0 * 8.0 + LINE * (2 + facts.len()) as f64;
    let width = (columns as f64 * CHAR + 2.0 * PADDING).round();
    Placed { at: Point { x: 0.0, y: 0.0 }, width, height, caption, name, facts }
}

/// The column of each item: by its role, without empty columns.
fn ranks(picture: &Picture) -> Vec<usize> {
    let has = |relation: Relation| picture.links.iter().any(|link| link.relation == relation);
    let (provisioned, pinned) = (has(Relation::Provisions), has(Relation::OnlyFrom));
    let claims = picture.items.iter().any(|item| matches!(item.role, Role::Claim | Role::Config | Role::PodVolume));
    let rank = |item: &Item| match item.role {
        Role::DnsName => 0,
        Role::Service | Role::Parent => 1,
        Role::Workload => 2,
        Role::Pod => 3,
        Role::Claim | Role::Config | Role::PodVolume => 4,
        Role::Class => 5,
        Role::Volume if provisioned => 6,
        Role::Volume => 5,
        Role::Node if pinned => 7,
        Role::Node if claims => 4,
        Role::Node => 4,
    };
    let ranks: Vec<usize> = picture.items.iter().map(rank).collect();
    let mut used = ranks.clone();
    used.sort_unstable();
    used.dedup();
    ranks.into_iter().map(|rank| used.binary_search(&rank).unwrap_or(0)).collect()
}

/// The vertices a link goes through, from left to right; new ones where it passes a column.
fn chain(link: &Link, vertices: &mut Vec<Vertex>) -> Vec<usize> {
    let rank = |vertices: &Vec<Vertex>, index: usize| vertices.get(index).map_or(0, |vertex| vertex.rank);
    let (mut from, mut to) = (link.from, link.to);
    if rank(vertices, from) > rank(vertices, to) {
        std::mem::swap(&mut from, &mut to);
    }
    let (first, last) = (rank(vertices, from), rank(vertices, to));
    let mut chain = vec![from];
    for rank in first + 1..last {
        chain.push(vertices.len());
        vertices.push(Vertex { rank, height: PASSING, y: 0.0, left: Vec::new(), right: Vec::new() });
    }
    chain.push(to);
    if first < last {
        for (one, other) in chain.iter().zip(chain.iter().skip(1)) {
            if let Some(vertex) = vertices.get_mut(*one) {
                vertex.right.push(*other);
            }
            if let Some(vertex) = vertices.get_mut(*other) {
                vertex.left.push(*one);
            }
        }
    }
    chain
}

fn positions(order: &[Vec<usize>], count: usize) -> Vec<f64> {
    let mut positions = vec![0.0; count];
    for column in order {
        for (position, index) in column.iter().enumerate() {
            if let Some(slot) = positions.get_mut(*index) {
                *slot = position as f64;
            }
        }
    }
    positions
}

fn mean(indices: &[usize], values: &[f64]) -> Option<f64> {
    let sum: f64 = indices.iter().filter_map(|index| values.get(*index)).sum();
    (!indices.is_empty()).then(|| sum / indices.len() as f64)
}

/// Orders the columns so that few links cross: by the mean of the neighbours' positions, swept both ways. What hangs
/// together with nothing comes last.
fn uncross(order: &mut [Vec<usize>], vertices: &[Vertex]) {
    let loose = |index: &usize| vertices.get(*index).is_some_and(|v| v.left.is_empty() && v.right.is_empty());
    for column in order.iter_mut() {
        column.sort_by_key(loose);
    }
    let mut best = order.to_vec();
    let mut fewest = crossings(&best, vertices);
    for sweep in 0..12 {
        let rightwards = sweep % 2 == 0;
        let ranks: Vec<usize> = if rightwards { (0..order.len()).collect() } else { (0..order.len()).rev().collect() };
        for rank in ranks {
            let positions = positions(order, vertices.len());
            let key = |index: &usize| {
                let vertex = vertices.get(*index);
                let neighbours = vertex.map(|v| if rightwards { &v.left } else { &v.right });
                let own = positions.get(*index).copied().unwrap_or(0.0);
                neighbours.and_then(|neighbours| mean(neighbours, &positions)).unwrap_or(own)
            };
            let Some(column) = order.get_mut(rank) else { continue };
            let mut keyed: Vec<(bool, f64, usize)> = column.iter().map(|i| (loose(i), key(i), *i)).collect();
            keyed.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
            *column = keyed.into_iter().map(|(_, _, index)| index).collect();
        }
        let now = crossings(order, vertices);
        if now < fewest {
            fewest = now;
            best = order.to_vec();
        }
        if fewest == 0 {
            break;
        }
    }
    order.clone_from_slice(&best);
}

fn crossings(order: &[Vec<usize>], vertices: &[Vertex]) -> usize {
    let positions = positions(order, vertices.len());
    let at = |index: &usize| positions.get(*index).copied().unwrap_or(0.0);
    let mut count = 0;
    for column in order {
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for index in column {
            for other in vertices.get(*index).map(|v| v.right.as_slice()).unwrap_or_default() {
                ends.push((at(index), at(other)));
            }
        }
        for (i, one) in ends.iter().enumerate() {
            count += ends.iter().skip(i + 1).filter(|two| (one.0 - two.0) * (one.1 - two.1) < 0.0).count();
        }
    }
    count
}

/// Moves everything to the height of its neighbours, as far as the others of its column allow.
fn straighten(order: &[Vec<usize>], vertices: &mut [Vertex]) {
    for column in order {
        let mut y = 0.0;
        for index in column {
            if let Some(vertex) = vertices.get_mut(*index) {
                vertex.y = y + vertex.height / 2.0;
                y += vertex.height;
            }
        }
        let middle = y / 2.0;
        for index in column {
            if let Some(vertex) = vertices.get_mut(*index) {
                vertex.y -= middle;
            }
        }
    }
    for sweep in 0..16 {
        let ranks: Vec<usize> =
            if sweep % 2 == 0 { (0..order.len()).rev().collect() } else { (0..order.len()).collect() };
        for rank in ranks {
            let Some(column) = order.get(rank) else { continue };
            let ys: Vec<f64> = vertices.iter().map(|vertex| vertex.y).collect();
            let top = ys.iter().copied().fold(0.0, f64::min);
            let wished: Vec<(f64, f64)> = column
                .iter()
                .filter_map(|index| vertices.get(*index))
                .map(|vertex| {
                    let all: Vec<usize> = vertex.left.iter().chain(&vertex.right).copied().collect();
                    // what hangs together with nothing comes right after the others
                    mean(&all, &ys).map_or((top, 1e-6), |y| (y, 1.0))
                })
                .collect();
            let heights: Vec<f64> = column.iter().filter_map(|i| vertices.get(*i)).map(|v| v.height).collect();
            for (index, y) in column.iter().zip(apart(&wished, &heights)) {
                if let Some(vertex) = vertices.get_mut(*index) {
                    vertex.y = y;
                }
            }
        }
    }
}

/// The places nearest to the wished ones (with weights) at which things of these heights, in this order, do not overlap:
/// pools of adjacent violators.
fn apart(wished: &[(f64, f64)], heights: &[f64]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut offsets = Vec::new();
    let mut previous: Option<f64> = None;
    for height in heights {
        offset += previous.map_or(0.0, |previous| (previous + height) / 2.0);
        offsets.push(offset);
        previous = Some(*height);
    }
    // (sum of weighted places, weights, how many)
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for ((y, weight), offset) in wished.iter().zip(&offsets) {
        pools.push(((y - offset) * weight, *weight, 1));
        while let [.., (sum, total, _), (last_sum, last_total, _)] = pools.as_slice()
            && sum / total > last_sum / last_total
        {
            let Some((sum, weight, number)) = pools.pop() else { break };
            let Some(pool) = pools.last_mut() else { break };
            *pool = (pool.0 + sum, pool.1 + weight, pool.2 + number);
        }
    }
    let places = pools.iter().flat_map(|(sum, weight, number)| std::iter::repeat_n(sum / weight, *number));
    places.zip(&offsets).map(|(place, offset)| place + offset).collect()
}

fn label(picture: &Picture, link: &Link) -> String {
    if link.state <= State::Past { shorten(&picture.label(link), MAX_LABEL) } else { String::new() }
}

/// The ways of the links; those that begin or end at the same side of a box are spread over it.
fn route(
    picture: &Picture,
    chains: &[Vec<usize>],
    vertices: &[Vertex],
    boxes: &[Placed],
    lefts: &[f64],
    widths: &[f64],
) -> Vec<Route> {
    let y_of = |index: usize| vertices.get(index).map_or(0.0, |vertex| vertex.y);
    let port = |chain_index: usize, index: usize, right: bool| -> f64 {
        // all links at this side, by the height of what they lead to
        let mut ends: Vec<(f64, usize)> = Vec::new();
        for (number, chain) in chains.iter().enumerate() {
            let (own, next) = match right {
                true => (chain.first(), chain.get(1)),
                false => (chain.last(), chain.len().checked_sub(2).and_then(|i| chain.get(i))),
            };
            if own == Some(&index) {
                ends.push((next.map_or(0.0, |next| y_of(*next)), number));
            }
        }
        ends.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let position = ends.iter().position(|(_, number)| *number == chain_index).unwrap_or(0) as f64;
        let height = boxes.get(index).map_or(0.0, |placed| placed.height);
        let step = ((height - 16.0) / ends.len().max(1) as f64).min(12.0);
        (y_of(index) + (position - (ends.len().saturating_sub(1)) as f64 / 2.0) * step).round()
    };
    let side = |index: usize, right: bool| {
        let rank = vertices.get(index).map_or(0, |vertex| vertex.rank);
        let left = lefts.get(rank).copied().unwrap_or(0.0);
        if right { left + widths.get(rank).copied().unwrap_or(0.0) } else { left }
    };
    let mut routes = Vec::new();
    for (number, (link, chain)) in picture.links.iter().zip(chains).enumerate() {
        let mut points = Vec::new();
        let last = chain.len().saturating_sub(1);
        for (i, index) in chain.iter().enumerate() {
            if i == 0 {
                points.push(Point { x: side(*index, true), y: port(number, *index, true) });
            } else if i == last {
                points.push(Point { x: side(*index, false), y: port(number, *index, false) });
            } else {
                let y = y_of(*index).round();
                points.extend([Point { x: side(*index, false), y }, Point { x: side(*index, true), y }]);
            }
        }
        if chain.first() != Some(&link.from) {
            points.reverse();
        }
        routes.push(Route { points, middle: Point { x: 0.0, y: 0.0 }, label: label(picture, link) });
    }
    routes
}

/// Puts labels and crosses on their lines where they do not cover each other; the crosses choose first.
fn place_labels(picture: &Picture, routes: &mut [Route]) {
    const PLACES: [f64; 9] = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78, 0.15, 0.85];
    let mut taken: Vec<(Point, f64)> = Vec::new();
    let mut turn: Vec<usize> = (0..routes.len()).collect();
    turn.sort_by_key(|index| picture.links.get(*index).map(|link| std::cmp::Reverse(link.state)));
    for index in turn {
        let Some((route, link)) = routes.get_mut(index).zip(picture.links.get(index)) else { continue };
        let half = match link.state {
            State::Fine | State::Past => width(&route.label) as f64 * 3.0,
            _ => 14.0 + link.marks.len() as f64 * 7.0,
        };
        let backwards = matches!(route.points.as_slice(), [first, .., last] if first.x > last.x);
        let ends = match (route.points.as_slice(), backwards) {
            ([one, two, ..], false) | ([.., two, one], true) => (*one, *two),
            _ => continue,
        };
        let at = |t: f64| {
            let (one, two) = ends;
            let (u, middle) = (1.0 - t, (one.x + two.x) / 2.0);
            let (a, b, c, d) = (u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t);
            Point { x: a * one.x + (b + c) * middle + d * two.x, y: (a + b) * one.y + (c + d) * two.y }
        };
        let in_gap = |point: Point| point.x - half >= ends.0.x - 4.0 && point.x + half <= ends.1.x + 4.0;
        let free = |point: Point| {
            taken
                .iter()
                .all(|(other, room)| (other.x - point.x).abs() > half + room || (other.y - point.y).abs() > 14.0)
        };
        let places: Vec<Point> = PLACES.into_iter().map(at).collect();
        let best = places.iter().find(|place| in_gap(**place) && free(**place)).or_else(|| places.first());
        route.middle = best.map_or(ends.0, |point| Point { x: point.x.round(), y: point.y.round() });
        taken.push((route.middle, half));
    }
}

/// The texts below the picture.
fn legend(picture: &Picture, columns: usize) -> Vec<(Option<usize>, String)> {
    let mut lines = Vec::new();
    for (number, trouble) in (1..).zip(&picture.troubles) {
        for (i, line) in wrap(trouble, columns).into_iter().enumerate() {
            lines.push(((i == 0).then_some(number), shorten(&line, columns)));
        }
    }
    for note in &picture.notes {
        for (i, line) in wrap(note, columns.saturating_sub(2)).iter().enumerate() {
            let lead = if i == 0 { "· " } else { "  " };
            lines.push((None, shorten(&format!("{lead}{line}"), columns)));
        }
    }
    lines
}
