//! The report for people: what is wrong, grouped, each with what comes of it and what to type; one line when nothing
//! is.

use super::check::{Checked, Finding, Level};
use super::facts::Facts;
use super::report::Summary;
use crate::text::{Line, Style, Text};

/// The whole report.
#[must_use]
pub fn render(facts: &Facts, checked: &[Checked]) -> Text {
    let mut text = Text::default();
    let mut group = None;
    for one in checked {
        for finding in one.judged.iter().flatten() {
            if group != Some(one.check.group) {
                group = Some(one.check.group);
                text.gap();
                text.styled(Style::Strong, one.check.group.heading());
            }
            describe(&mut text, one.check.id, finding);
        }
    }
    text.gap();
    for one in checked {
        if let Err(unknown) = &one.judged {
            text.styled(Style::Faint, format!("Not checked: {} ({})", one.check.title, unknown.0));
        }
    }
    text.gap();
    verdict(&mut text, facts, Summary::of(checked));
    text
}

fn describe(text: &mut Text, id: &str, finding: &Finding) {
    let (mark, style) = match finding.level {
        Level::Error => ("✗ ", Style::Bad),
        Level::Warning => ("! ", Style::Warn),
    };
    let line = Line::default().with(style, mark).with(Style::Plain, &finding.finding);
    text.push(line.with(Style::Faint, format!("  [{id}]")));
    text.push(format!("  {}", finding.consequence).into());
    text.push(format!("  Fix: {}", finding.fix).into());
}

fn verdict(text: &mut Text, facts: &Facts, summary: Summary) {
    let Summary { checked, errors, warnings, fixable, .. } = summary;
    if errors + warnings == 0 {
        text.styled(Style::Good, format!("✓ {} in order", count(checked, "check")));
        return;
    }
    let style = if errors > 0 { Style::Bad } else { Style::Warn };
    let found = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
    text.styled(style, format!("{found} in {}", count(checked, "check")));
    if fixable > 0 {
        text.say(format!("{fixable} of them can be repaired here, after a copy: {}", facts.fix()));
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::{as_on_unix, assert_golden};
    use crate::doctor::check::judge_all;
    use crate::doctor::checks::ALL;
    use crate::doctor::facts::testing::healthy;

    #[test]
    fn good_news_is_one_line() {
        let facts = healthy();
        let text = render(&facts, &judge_all(ALL, &facts)).plain();
        assert_eq!(text, format!("✓ {} checks in order\n", ALL.len()));
    }

    #[test]
    fn bad_news_say_what_to_type() {
        let mut facts = healthy();
        facts.configured("{gateway: {mode: 'local', prot: 1}}");
        if let Some(files) = &mut facts.files {
            files[0].mode = 0o755;
        }
        facts.daemon = crate::doctor::facts::DaemonFacts::Refused("it belongs to user 7".to_owned());
        assert_golden("doctor", &as_on_unix(&render(&facts, &judge_all(ALL, &facts)).plain()));
    }
}
