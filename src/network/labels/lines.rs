//! Names in text, one per line, and in tables.

use super::indices::ordered;

/// Headings of the column with the names, the surest first.
const NAMES: [&str; 11] = [
    "name",
    "class_name",
    "class name",
    "classname",
    "label_name",
    "label name",
    "display_name",
    "label",
    "class",
    "category",
    "labels",
];
/// Headings of the column with the indices; the last two are names where nothing else is.
const INDICES: [&str; 11] = [
    "index",
    "id",
    "idx",
    "class_id",
    "class id",
    "class_index",
    "class index",
    "label_id",
    "number",
    "class",
    "label",
];

/// The names of a text, one per line.
pub fn names(text: &str) -> Result<Vec<String>, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
    if let Some((separator, columns)) = heading(lines[0]) {
        return table(&text, separator, &columns);
    }
    if let Some(names) = without_synsets(&lines) {
        return Ok(names);
    }
    let names = match numbered(&lines).or_else(|| indexed(&lines)) {
        Some(numbered) => unquoted(numbered?)?,
        None => match structure(&lines) {
            Some(what) => return Err(what),
            None => unquoted(lines.iter().map(|&line| line.to_owned()).collect())?,
        },
    };
    Ok(without_synsets(&names).unwrap_or(names))
}

/// A WordNet id, as ImageNet names its classes.
pub fn is_synset(text: &str) -> bool {
    text.len() == 9 && text.starts_with('n') && text[1..].bytes().all(|b| b.is_ascii_digit())
}

/// The names, where all of them have a synset in front.
fn without_synsets<S: AsRef<str>>(names: &[S]) -> Option<Vec<String>> {
    names.iter().map(|name| after_synset(name.as_ref())).collect()
}

/// The name after a synset.
fn after_synset(line: &str) -> Option<String> {
    let synset = line.get(..9).filter(|start| is_synset(start))?;
    let rest = &line[synset.len()..];
    let name = rest.trim_start_matches([' ', '\t', ',', ':', ';']);
    (name.len() < rest.len() && !name.is_empty()).then(|| name.to_owned())
}

/// The names of lines that each begin with a number. Where only a space follows the numbers, they may belong to the
/// names ("10 euro"), unless they count the lines.
fn numbered(lines: &[&str]) -> Option<Result<Vec<String>, String>> {
    let parts: Vec<(i64, &str, bool)> = lines.iter().map(|line| after_number(line)).collect::<Option<_>>()?;
    let sure = parts.iter().all(|(_, _, sure)| *sure);
    let counts = parts.windows(2).all(|pair| pair[0].0 < pair[1].0)
        && (parts[0].0 == 0 || parts[0].0 == 1 && parts.len() > 1);
    if !sure && !counts {
        return None;
    }
    let entries = parts.into_iter().map(|(index, name, _)| (index, name.to_owned())).collect();
    let hint = "if the numbers are a part of the names, write a JSON list";
    Some(ordered(entries).map_err(|why| format!("the lines are numbered, and {why}; {hint}")))
}

/// A number at the start of a line, what follows, and whether a separator stands between them.
fn after_number(line: &str) -> Option<(i64, &str, bool)> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    let number = number.parse().ok()?;
    let after = rest.trim_start_matches(' ');
    let name = after.strip_prefix([':', ',', ';', '=', '\t']).or_else(|| {
        let rest = rest.strip_prefix(['.', ')'])?;
        rest.starts_with(' ').then_some(rest)
    });
    let (name, sure) = (name.unwrap_or(after).trim(), name.is_some());
    let parted = sure || after.len() < rest.len();
    (parted && !name.is_empty()).then_some((number, name, sure))
}

/// The names of lines that each end with a comma and an index.
fn indexed(lines: &[&str]) -> Option<Result<Vec<String>, String>> {
    let part = |line: &&str| {
        let (name, index) = line.rsplit_once([',', ';', '\t'])?;
        Some((index.trim().parse().ok()?, name.trim().to_owned()))
    };
    let entries = lines.iter().map(part).collect::<Option<Vec<_>>>()?;
    Some(ordered(entries).map_err(|why| format!("each line ends with an index, and {why}")))
}

/// Whatever looks like data of some other kind, in words.
fn structure(lines: &[&str]) -> Option<String> {
    let bracket = |line: &&&str| {
        line.starts_with(['{', '}', ']'])
            || line.ends_with(['{', '['])
            || line.starts_with('[') && !line.ends_with(']')
    };
    if let Some(line) = lines.iter().find(bracket) {
        let shown: String = line.chars().take(40).collect();
        return Some(format!(
            "the line {shown:?} looks like data, and the file is neither JSON nor a Python literal"
        ));
    }
    if lines.iter().skip(1).all(|line| line.starts_with("- "))
        && (lines.len() > 1 || lines[0].starts_with("- "))
    {
        return Some("the file looks like a YAML list".into());
    }
    if lines.len() > 1
        && lines[0].ends_with(':')
        && lines[1..].iter().all(|l| after_number(l).is_some_and(|p| p.2))
    {
        return Some("the file looks like YAML".into());
    }
    let columns = |separator: char| lines.iter().map(|l| l.matches(separator).count()).collect::<Vec<_>>();
    for (separator, name) in [('\t', "tabs"), (';', "semicolons"), ('|', "bars")] {
        let counts = columns(separator);
        if counts[0] > 0 && counts.iter().all(|&n| n == counts[0]) {
            return Some(format!(
                "the file looks like a table (its lines have as many {name}), and its first line names no columns; \
                 write a first line such as id,name"
            ));
        }
    }
    None
}

/// Names without quotes where all of them have some; a quote in front of a few is a sign of something else.
fn unquoted(names: Vec<String>) -> Result<Vec<String>, String> {
    let inner = |name: &String| {
        let name = name.strip_suffix(',').unwrap_or(name).trim_end();
        let quoted = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
        match name.starts_with('"') {
            true => serde_json::from_str(name).ok(),
            false => quoted('\'').map(str::to_owned),
        }
    };
    if let Some(inner) = names.iter().map(inner).collect::<Option<Vec<String>>>() {
        return Ok(inner);
    }
    match names.iter().position(|name| name.starts_with('"')) {
        Some(i) => {
            Err(format!("the name of class {i} begins with a quotation mark, and not all names are quoted"))
        }
        None => Ok(names),
    }
}

/// The columns of the names and the indices in a table.
struct Columns {
    name: usize,
    index: Option<usize>,
}

/// The separator and the columns of a table, by its first line.
fn heading(line: &str) -> Option<(u8, Columns)> {
    for separator in [',', '\t', ';'] {
        let cell = |cell: &str| cell.trim().trim_matches('"').trim().to_ascii_lowercase();
        let cells: Vec<String> = line.split(separator).map(cell).collect();
        let place = |of: &[&str], other: Option<usize>| {
            let at =
                |heading: &&str| cells.iter().position(|cell| cell == heading).filter(|&i| Some(i) != other);
            of.iter().find_map(at)
        };
        if let (2.., Some(name)) = (cells.len(), place(&NAMES, None)) {
            let index = place(&INDICES, Some(name));
            return Some((u8::try_from(separator).ok()?, Columns { name, index }));
        }
    }
    None
}

/// The names of a table, by their indices where it has any.
fn table(text: &str, separator: u8, columns: &Columns) -> Result<Vec<String>, String> {
    let mut names = vec![];
    for (row, cells) in records(text, separator)?.into_iter().skip(1).enumerate() {
        let index = match columns.index {
            Some(column) => cells[column].parse().map_err(|_| {
                format!("row {row} of the table has the index {:?}, which is no number", cells[column])
            })?,
            None => i64::try_from(row).unwrap_or(i64::MAX),
        };
        names.push((index, cells[columns.name].clone()));
    }
    if names.is_empty() {
        return Err("the table has no rows".into());
    }
    ordered(names)
}

/// The cells of each row of a table, which has as many in all of them.
fn records(text: &str, separator: u8) -> Result<Vec<Vec<String>>, String> {
    let text = format!("{}\n", text.trim());
    let mut reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
    let (mut input, mut output) = (text.as_bytes(), vec![0; text.len()]);
    let mut ends = vec![0; text.bytes().filter(|&b| b == separator).count() + 2];
    let mut rows: Vec<Vec<String>> = vec![];
    loop {
        let (result, read, _, count) = reader.read_record(input, &mut output, &mut ends);
        input = &input[read..];
        match result {
            csv_core::ReadRecordResult::Record => {}
            csv_core::ReadRecordResult::End => return Ok(rows),
            _ => return Err(format!("a quotation mark in row {} of the table has no end", rows.len())),
        }
        let starts = [0].iter().chain(&ends[..count]);
        let cell =
            |(&start, &end): (&usize, &usize)| String::from_utf8_lossy(&output[start..end]).trim().to_owned();
        let cells: Vec<String> = starts.zip(&ends[..count]).map(cell).collect();
        if let Some(first) = rows.first().filter(|first| first.len() != cells.len()) {
            let (row, wanted) = (rows.len(), first.len());
            return Err(format!(
                "row {row} of the table has {} cells, and its first {wanted}; put names with separators in quotes",
                cells.len()
            ));
        }
        rows.push(cells);
    }
}
