//! Generated parts of a text: how they are found and replaced, and Markdown for what stands in them.

/// The text with every part between `open NAME close` and `open-end NAME close` made again. `marks` are the text before
/// the name of a beginning, before the name of an end, and after either name.
pub(crate) fn replaced(
    text: &str,
    [begin, end, close]: [&str; 3],
    make: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut fresh = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(begin) {
        let (name, after) = after.split_once(close).ok_or("a mark is not closed")?;
        let last = format!("{end}{name}{close}");
        let (_, after) = after.split_once(last.as_str()).ok_or_else(|| format!("the part `{name}` has no end"))?;
        fresh += &format!("{before}{begin}{name}{close}{}{last}", make(name)?);
        rest = after;
    }
    Ok(fresh + rest)
}

/// A table in Markdown.
pub(crate) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(titles.iter().map(|title| (*title).to_owned()).collect());
    text += &format!("|{}\n", "---|".repeat(titles.len()));
    for row in rows {
        text += &line(row.iter().map(|cell| cell.replace('|', "\\|")).collect());
    }
    text
}

/// Text as code in Markdown.
pub(crate) fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_parts_are_replaced_and_the_rest_stays() {
        let marks = ["<begin ", "<end ", ">\n"];
        let make = |name: &str| Ok(format!("new {name}\n"));
        let text = "a\n<begin x>\nold\n<end x>\nb\n<begin y>\n<end y>\n";
        let fresh = "a\n<begin x>\nnew x\n<end x>\nb\n<begin y>\nnew y\n<end y>\n";
        assert_eq!(replaced(text, marks, &make).as_deref(), Ok(fresh));
        assert_eq!(replaced("<begin x>\n", marks, &make), Err("the part `x` has no end".to_owned()));
    }
}
