//! A picture as PNG. Its font has the letters of ASCII only: make the picture in English.
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};

use super::layout::{INDENT, LINE, MARGIN, PADDING, Placed, Point, layout};
use super::{Item, Link, Picture, Role, State};
use crate::report::width::width;

type Color = [u8; 3];

const PAPER: Color = [255, 255, 255];
const INK: Color = [31, 35, 40];
const SOFT: Color = [89, 99, 110];
const LINES: Color = [129, 139, 152];
const BOX: Color = [246, 248, 250];
const BAD: Color = [207, 34, 46];
const WAIT: Color = [154, 103, 0];
/// The width of a letter.
const LETTER: f64 = 7.0;
/// The most pixels of a picture; larger ones are cut.
const MAX_PIXELS: usize = 40_000_000;

/// A file.
///
/// # Errors
/// When the picture cannot be encoded.
pub fn document(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let layout = layout(picture);
    let mut canvas = Canvas::new(layout.width, layout.height);
    canvas.text(MARGIN, MARGIN, &picture.title, INK);
    let mut links: Vec<(&Link, _)> = picture.links.iter().zip(&layout.routes).collect();
    links.sort_by_key(|(link, _)| link.state);
    for (link, route) in &links {
        let color = color(link.state, LINES);
        canvas.curve(&route.points, color, dashes(link.state));
        if let [.., before, end] = route.points.as_slice() {
            canvas.tip(*end, before.x <= end.x, color);
        }
    }
    for (item, placed) in picture.items.iter().zip(&layout.boxes) {
        canvas.item(item, placed);
    }
    for (link, route) in &links {
        if link.state <= State::Past {
            let left = route.middle.x - width(&route.label) as f64 * LETTER / 2.0;
            canvas.fill(left - 2.0, route.middle.y - 13.0, width(&route.label) as f64 * LETTER + 4.0, 13.0, PAPER);
            canvas.text(left, route.middle.y - 14.0, &route.label, SOFT);
        } else {
            let text = badge(&link.marks);
            let left = route.middle.x - text.len() as f64 * LETTER / 2.0 - 4.0;
            canvas.badge(left, route.middle.y, &text, color(link.state, BAD));
        }
    }
    let Point { x, mut y } = layout.legend;
    for (number, line) in &layout.lines {
        if let Some(number) = number {
            canvas.text(x, y - 12.0, &format!("x {number}"), BAD);
        }
        canvas.text(x + INDENT, y - 12.0, line, INK);
        y += LINE;
    }
    canvas.encode(&picture.description())
}

fn color(state: State, fine: Color) -> Color {
    match state {
        State::Fine | State::Past => fine,
        State::Waiting => WAIT,
        State::Broken | State::Absent => BAD,
    }
}

/// How long the dashes of a line are; zero for a whole line.
fn dashes(state: State) -> f64 {
    match state {
        State::Fine => 0.0,
        State::Past | State::Waiting => 3.0,
        State::Broken | State::Absent => 5.0,
    }
}

fn badge(marks: &[usize]) -> String {
    let numbers: Vec<String> = marks.iter().map(usize::to_string).collect();
    format!("x {}", numbers.join(" ")).trim_end().to_owned()
}

fn bar(role: Role) -> Color {
    match role {
        Role::DnsName | Role::Service => [130, 80, 223],
        Role::Parent | Role::Workload => [87, 96, 106],
        Role::Pod => [9, 105, 218],
        Role::Claim => [26, 127, 55],
        Role::Config | Role::PodVolume => [191, 135, 0],
        Role::Class | Role::Volume => [27, 124, 131],
        Role::Node => LINES,
    }
}

/// Pixels, row by row, three bytes each.
struct Canvas {
    columns: usize,
    rows: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(width: f64, height: f64) -> Canvas {
        let columns = (width.ceil() as usize).clamp(1, 20_000);
        let rows = (height.ceil() as usize).clamp(1, MAX_PIXELS / columns);
        Canvas { columns, rows, pixels: PAPER.repeat(columns * rows) }
    }

    /// Lays a colour over a pixel, 0 to 255 strong.
    fn blend(&mut self, x: i64, y: i64, color: Color, strength: u8) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.columns || y >= self.rows {
            return;
        }
        let start = (y * self.columns + x) * 3;
        let Some(pixel) = self.pixels.get_mut(start..start + 3) else { return };
        for (old, new) in pixel.iter_mut().zip(color) {
            let (strength, before) = (u32::from(strength), u32::from(*old));
            *old = ((before * (255 - strength) + u32::from(new) * strength + 127) / 255) as u8;
        }
    }

    fn fill(&mut self, x: f64, y: f64, width: f64, height: f64, color: Color) {
        for row in y.round() as i64..(y + height).round() as i64 {
            for column in x.round() as i64..(x + width).round() as i64 {
                self.blend(column, row, color, 255);
            }
        }
    }

    /// A line of text, its top left corner given.
    fn text(&mut self, x: f64, y: f64, text: &str, color: Color) {
        let mut left = x.round() as i64;
        for c in text.chars() {
            let c = match c {
                '·' | '…' => {
                    if c == '·' {
                        '-'
                    } else {
                        '~'
                    }
                }
                '✗' => 'x',
                '«' | '»' | '“' | '”' => '"',
                '’' => '\'',
                c => c,
            };
            let glyph = |c: char| get_raster(c, FontWeight::Regular, RasterHeight::Size16);
            let Some(glyph) = glyph(c).or_else(|| glyph('?')) else { continue };
            for (row, line) in (y.round() as i64..).zip(glyph.rows()) {
                for (column, strength) in (left..).zip(line) {
                    self.blend(column, row, color, *strength);
                }
            }
            left += LETTER as i64;
        }
    }

    /// A straight line of about one and a half pixels.
    fn segment(&mut self, from: Point, to: Point, color: Color) {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let length2 = (dx * dx + dy * dy).max(1e-9);
        let (left, right) = (from.x.min(to.x).floor() as i64 - 1, from.x.max(to.x).ceil() as i64 + 1);
        let (top, bottom) = (from.y.min(to.y).floor() as i64 - 1, from.y.max(to.y).ceil() as i64 + 1);
        for y in top..=bottom {
            for x in left..=right {
                let (px, py) = (x as f64 - from.x, y as f64 - from.y);
                let t = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
                let (ex, ey) = (px - t * dx, py - t * dy);
                let distance = (ex * ex + ey * ey).sqrt();
                let strength = (1.25 - distance).clamp(0.0, 1.0);
                self.blend(x, y, color, (strength * 255.0) as u8);
            }
        }
    }

    /// The same curve as in SVG.
    fn curve(&mut self, points: &[Point], color: Color, dash: f64) {
        let mut walked = 0.0;
        for pair in points.windows(2) {
            let [from, to] = pair else { continue };
            let middle = (from.x + to.x) / 2.0;
            let mut last = *from;
            let steps = (((to.x - from.x).abs() + (to.y - from.y).abs()) / 2.0).ceil().clamp(1.0, 4000.0) as usize;
            for step in 1..=steps {
                let t = step as f64 / steps as f64;
                let u = 1.0 - t;
                let (a, b, c, d) = (u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t);
                let next = Point { x: a * from.x + (b + c) * middle + d * to.x, y: (a + b) * from.y + (c + d) * to.y };
                let on = dash == 0.0 || (walked / dash) as i64 % 2 == 0;
                if on {
                    self.segment(last, next, color);
                }
                walked += ((next.x - last.x).powi(2) + (next.y - last.y).powi(2)).sqrt();
                last = next;
            }
        }
    }

    fn tip(&mut self, end: Point, rightwards: bool, color: Color) {
        for i in 0..8 {
            let x = if rightwards { end.x - f64::from(i) } else { end.x + f64::from(i) };
            let half = f64::from(i) / 2.0;
            self.fill(x, end.y - half, 1.0, 2.0 * half + 1.0, color);
        }
    }

    /// The edge of a rectangle, one and a half pixels wide.
    fn frame(&mut self, x: f64, y: f64, width: f64, height: f64, color: Color, dash: f64) {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
        for pair in corners.windows(2) {
            let [(ax, ay), (bx, by)] = pair else { continue };
            let length = (bx - ax).abs() + (by - ay).abs();
            let step = if dash == 0.0 { length } else { dash };
            let mut at = 0.0;
            while at < length {
                let point = |at: f64| {
                    let t = (at / length).min(1.0);
                    Point { x: ax + (bx - ax) * t, y: ay + (by - ay) * t }
                };
                self.segment(point(at), point(at + step), color);
                at += if dash == 0.0 { length } else { 2.0 * dash };
            }
        }
    }

    fn badge(&mut self, left: f64, middle: f64, text: &str, color: Color) {
        self.fill(left, middle - 8.0, text.len() as f64 * LETTER + 8.0, 16.0, color);
        self.text(left + 4.0, middle - 8.0, text, PAPER);
    }

    fn item(&mut self, item: &Item, placed: &Placed) {
        let Placed { at: Point { x, y }, width, height, .. } = *placed;
        if item.count > 1 {
            self.fill(x + 4.0, y + 4.0, width, height, BOX);
            self.frame(x + 4.0, y + 4.0, width, height, LINES, 0.0);
        }
        self.fill(x, y, width, height, if item.state == State::Absent { PAPER } else { BOX });
        let dash = if matches!(item.state, State::Absent | State::Past) { 5.0 } else { 0.0 };
        self.frame(x, y, width, height, color(item.state, [175, 184, 193]), dash);
        if item.state != State::Absent {
            self.fill(x, y, 5.0, height, bar(item.role));
        }
        let mut top = y + 7.0;
        let mut line = |text: &str, color: Color| {
            self.text(x + PADDING + 4.0, top, text, color);
            top += LINE;
        };
        line(&placed.caption, SOFT);
        line(&placed.name, if item.state == State::Absent { BAD } else { INK });
        for fact in &placed.facts {
            line(fact, SOFT);
        }
        if !item.marks.is_empty() || item.state >= State::Broken {
            let text = badge(&item.marks);
            let left = x + width - 12.0 - text.len() as f64 * LETTER - 8.0;
            self.badge(left, y, &text, color(item.state, BAD));
        }
    }

    /// The description is stored beside the pixels, for those who do not see them.
    fn encode(&self, description: &str) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.columns as u32, self.rows as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        encoder.add_itxt_chunk("Description".to_owned(), description.to_owned())?;
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}
