//! Names that come with their indices.

/// The names by their indices, which are 0 to n - 1, each once.
pub fn ordered(mut entries: Vec<(i64, String)>) -> Result<Vec<String>, String> {
    entries.sort_by_key(|(index, _)| *index);
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let [(index, one), (_, other)] = pair else { return Err("an index stands twice".into()) };
        return Err(format!("index {index} stands twice, for {one:?} and {other:?}"));
    }
    let last = entries.len().saturating_sub(1);
    let gap = (0..).zip(&entries).find(|(wanted, (index, _))| wanted != index);
    match gap {
        Some((_, (index, name))) if *index < 0 => Err(format!("the index of {name:?} is {index}")),
        Some((missing, _)) => Err(format!(
            "index {missing} is missing: {} names have the indices 0 to {last}, each once",
            entries.len()
        )),
        None => Ok(entries.into_iter().map(|(_, name)| name).collect()),
    }
}
