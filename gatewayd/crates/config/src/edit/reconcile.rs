//! From a text and the value it shall have to the text that has it. Two passes: the first removes what is no longer
//! wanted and changes what is there, the second adds what is missing. Each pass collects cuts and insertions over
//! one tree and applies them at once.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value};

use super::render::{Style, indent_of, key};
use crate::diff::same;
use crate::json5::{self, Element, Kind, Member, Node, SyntaxError};

/// `text` changed so that it has the value `wanted`.
pub(super) fn reconcile(text: &str, wanted: &Value) -> Result<String, SyntaxError> {
    let reduced = pass(text, wanted, Phase::Reduce)?;
    pass(&reduced, wanted, Phase::Add)
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Reduce,
    Add,
}

fn pass(text: &str, wanted: &Value, phase: Phase) -> Result<String, SyntaxError> {
    let tree = json5::parse(text)?;
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
    let mut edit = Edit { text, style: Style::of(text), lines, splices: Vec::new() };
    edit.node(&tree, wanted, phase);
    Ok(edit.apply())
}

struct Edit<'a> {
    text: &'a str,
    style: Style,
    /// Where lines start, so that finding one does not take long in a long line.
    lines: Vec<usize>,
    splices: Vec<(Range<usize>, String)>,
}

/// An item of an object or a list: the bytes it takes, and its comma.
struct Slot {
    span: Range<usize>,
    comma: Option<usize>,
}

impl Edit<'_> {
    fn apply(mut self) -> String {
        self.splices.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        for (range, replacement) in &self.splices {
            out.push_str(&self.text[at..range.start.max(at)]);
            out.push_str(replacement);
            at = range.end.max(at);
        }
        out.push_str(&self.text[at..]);
        out
    }

    fn node(&mut self, node: &Node, wanted: &Value, phase: Phase) {
        match (&node.kind, wanted) {
            (Kind::Object(members), Value::Object(map)) => match phase {
                Phase::Reduce => self.reduce_object(members, map),
                Phase::Add => self.add_members(node, members, map),
            },
            (Kind::Array(items), Value::Array(values)) => self.array(node, items, values, phase),
            _ if same(&node.to_value(), wanted) => {}
            _ => {
                let indent = indent_of(self.line_before(node.span.start)).to_owned();
                let text = self.style.value(wanted, &indent);
                self.splices.push((node.span.clone(), text));
            }
        }
    }

    fn reduce_object(&mut self, members: &[Member], map: &Map<String, Value>) {
        let slots: Vec<Slot> = members
            .iter()
            .map(|m| Slot { span: m.key_span.start..m.value.span.end, comma: m.comma })
            .collect();
        let gone: Vec<bool> = members.iter().map(|m| !map.contains_key(&m.key)).collect();
        self.remove(&slots, &gone);
        for member in counting(members).into_values() {
            if let Some(wanted) = map.get(&member.key) {
                self.node(&member.value, wanted, Phase::Reduce);
            }
        }
    }

    fn add_members(&mut self, node: &Node, members: &[Member], map: &Map<String, Value>) {
        let present = counting(members);
        for member in present.values() {
            if let Some(wanted) = map.get(&member.key) {
                self.node(&member.value, wanted, Phase::Add);
            }
        }
        let missing = map.iter().filter(|(name, _)| !present.contains_key(name.as_str()));
        let last = members.last().map(|m| Slot { span: m.key_span.start..m.value.span.end, comma: m.comma });
        let indent = self.inner_indent(node, members.first().map(|m| m.key_span.start));
        let new: Vec<String> = missing
            .map(|(name, value)| {
                let name = key(name, self.text, members);
                format!("{name}: {}", self.style.value(value, &indent))
            })
            .collect();
        self.append(node, last.as_ref(), &new, &indent);
    }

    /// Lists are matched from both ends; what is left in the middle is paired in order, and the rest of it is
    /// removed or added.
    fn array(&mut self, node: &Node, items: &[Element], values: &[Value], phase: Phase) {
        let shorter = items.len().min(values.len());
        let equal = |item: &Element, value: &Value| same(&item.value.to_value(), value);
        let head = items.iter().zip(values).take_while(|(item, value)| equal(item, value)).count();
        let tail = items.iter().rev().zip(values.iter().rev());
        let tail = tail.take(shorter - head).take_while(|(item, value)| equal(item, value)).count();
        let paired = shorter - tail;
        match phase {
            Phase::Reduce => {
                let slots: Vec<Slot> =
                    items.iter().map(|e| Slot { span: e.value.span.clone(), comma: e.comma }).collect();
                let gone: Vec<bool> =
                    (0..items.len()).map(|i| i >= paired && i < items.len() - tail).collect();
                self.remove(&slots, &gone);
                for (item, value) in items.iter().zip(values).take(paired).skip(head) {
                    self.node(&item.value, value, Phase::Reduce);
                }
            }
            Phase::Add => {
                for (item, value) in items.iter().zip(values).take(paired) {
                    self.node(&item.value, value, Phase::Add);
                }
                let indent = self.inner_indent(node, items.first().map(|e| e.value.span.start));
                let new = values.get(paired..values.len() - tail).unwrap_or(&[]);
                let new: Vec<String> = new.iter().map(|value| self.style.value(value, &indent)).collect();
                match items.get(paired) {
                    Some(next) => self.insert_before(next.value.span.start, &new, &indent),
                    None => {
                        let last = items.last().map(|e| Slot { span: e.value.span.clone(), comma: e.comma });
                        self.append(node, last.as_ref(), &new, &indent);
                    }
                }
            }
        }
    }

    /// Cuts out the slots that are gone. Comments stay; a line that had nothing else goes with them.
    fn remove(&mut self, slots: &[Slot], gone: &[bool]) {
        for (slot, _) in slots.iter().zip(gone).filter(|(_, gone)| **gone) {
            match slot.comma {
                Some(comma) if self.text[slot.span.end..comma].trim().is_empty() => {
                    self.cut(slot.span.start..comma + 1)
                }
                Some(comma) => {
                    self.cut(slot.span.clone());
                    self.splices.push((comma..comma + 1, String::new()));
                }
                None => self.cut(slot.span.clone()),
            }
        }
        let trailing = slots.last().is_some_and(|slot| slot.comma.is_some());
        let last_gone = gone.last() == Some(&true);
        let last_kept = slots.iter().zip(gone).rev().find(|(_, gone)| !**gone);
        if let Some((Slot { comma: Some(comma), .. }, _)) = last_kept.filter(|_| last_gone && !trailing) {
            self.splices.push((*comma..comma + 1, String::new()));
        }
    }

    /// Cuts `range`, with its line when nothing else is on it, else with the blanks on one side of it.
    fn cut(&mut self, range: Range<usize>) {
        let blanks = [' ', '\t'];
        let before = self.line_before(range.start);
        let after = &self.text[range.end..];
        let rest = after.trim_start_matches(blanks);
        let next = range.end + after.len() - rest.len();
        let newline = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        let kept_before = before.trim_end_matches(blanks).len();
        let range = if kept_before == 0 && range.start > before.len() && newline > 0 {
            range.start - before.len()..next + newline
        } else if rest.starts_with(['}', ']']) || newline > 0 {
            range.start - before.len() + kept_before..range.end
        } else {
            range.start..next
        };
        self.splices.push((range, String::new()));
    }

    /// Adds items behind the last one, keeping the habit of a trailing comma.
    fn append(&mut self, node: &Node, last: Option<&Slot>, new: &[String], indent: &str) {
        if new.is_empty() {
            return;
        }
        let close = node.span.end - 1;
        let inside = &self.text[node.span.start + 1..close];
        let end = node.span.start + 1 + inside.trim_end().len();
        let many_lines = inside.contains('\n') || last.is_none();
        let trailing = last.is_some_and(|slot| slot.comma.is_some());
        if let Some(slot) = last.filter(|slot| slot.comma.is_none()) {
            self.splices.push((slot.span.end..slot.span.end, ",".to_owned()));
        }
        let separator = if many_lines { format!("{}{indent}", self.style.newline) } else { " ".to_owned() };
        let mut text = String::new();
        for (i, item) in new.iter().enumerate() {
            text.push_str(&separator);
            text.push_str(item);
            if trailing || i + 1 < new.len() {
                text.push(',');
            }
        }
        if many_lines && !self.text[end..close].contains('\n') {
            let outer = indent_of(self.line_before(node.span.start)).to_owned();
            text.push_str(self.style.newline);
            text.push_str(&outer);
            self.splices.push((end..close, text));
        } else {
            self.splices.push((end..end, text));
        }
    }

    /// Adds items in front of the one at `start`.
    fn insert_before(&mut self, start: usize, new: &[String], indent: &str) {
        let own_line = self.line_before(start).trim_matches([' ', '\t']).is_empty();
        let separator = if own_line { format!(",{}{indent}", self.style.newline) } else { ", ".to_owned() };
        let text: String = new.iter().map(|item| format!("{item}{separator}")).collect();
        self.splices.push((start..start, text));
    }

    /// Indentation of the items inside `node`: as the first one has it, else one level more than its line.
    fn inner_indent(&self, node: &Node, first: Option<usize>) -> String {
        if let Some(before) = first.map(|start| self.line_before(start))
            && before.trim_matches([' ', '\t']).is_empty()
        {
            return before.to_owned();
        }
        format!("{}{}", indent_of(self.line_before(node.span.start)), self.style.step)
    }

    /// What stands in front of `at` on its line.
    fn line_before(&self, at: usize) -> &str {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or(0);
        &self.text[start..at]
    }
}

/// The members by key; of a repeated key the last one counts.
fn counting(members: &[Member]) -> HashMap<&str, &Member> {
    members.iter().map(|member| (member.key.as_str(), member)).collect()
}
