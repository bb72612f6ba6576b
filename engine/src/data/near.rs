//! "Did you mean": the names closest to a mistyped one.

use strsim::damerau_levenshtein;

/// At most three of `candidates` that resemble `name`, the closest first, without repetition.
///
/// A candidate resembles the name if it differs only in case, if one contains the other (`a.csv` and `a.csv.gz`;
/// from three letters on), or if at most a third of the letters, but not all, are edited (Damerau-Levenshtein distance).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = name.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(1);
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty())
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let distance = damerau_levenshtein(&wanted, &other);
            let longest = wanted.chars().count().max(other.chars().count());
            let contained =
                wanted.len() >= 3 && (other.contains(&wanted) || (other.len() >= 3 && wanted.contains(&other)));
            (distance <= limit.min(longest - 1) || contained).then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_case_and_endings_are_forgiven() {
        assert_eq!(nearest("colum", ["columns", "header", "column"]), ["column", "columns"]);
        assert_eq!(nearest("AGE", ["age", "sex"]), ["age"]);
        assert_eq!(nearest("a9a.csv", ["b.csv", "a9a.csv.gz"])[0], "a9a.csv.gz");
        assert_eq!(nearest("mena", ["mean", "sd", "seed"]), ["mean"]);
        assert!(nearest("b", ["1", "2"]).is_empty());
        assert!(nearest("key", ["classes"]).is_empty());
        assert!(nearest("", ["", "abc"]).is_empty());
    }
}
