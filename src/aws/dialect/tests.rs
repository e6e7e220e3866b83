use super::*;

/// What is on each line: `3 [a]`, `4 k=v` or `5 NoKeyValue`.
fn read(text: &[u8]) -> Vec<String> {
    let mut problems = Vec::new();
    let sections = super::read(FileKind::Config, text, &mut problems);
    let mut found: Vec<(usize, String)> = Vec::new();
    for section in &sections {
        found.push((section.at.line, format!("[{}]", section.header)));
        let properties = section.properties.iter();
        found.extend(properties.map(|p| (p.at.line, format!("{}={}", p.key, &*p.value))));
    }
    found.extend(problems.iter().map(|p| (p.at.line, format!("{:?}", p.what))));
    found.sort_by_key(|(line, _)| *line);
    found.into_iter().map(|(line, text)| format!("{line} {text}")).collect()
}

#[test]
fn sections_and_properties_come_with_their_line_numbers() {
    assert_eq!(read(b"# mine\n\n[a]\nk = v\n\n[b]\n"), ["3 [a]", "4 k=v", "6 [b]"]);
}

#[test]
fn a_colon_does_not_separate() {
    let found = read(b"[x]\nregion: eu-west-1\na:b = c:d\n");
    assert_eq!(found, ["1 [x]", "2 NoKeyValue", "3 a:b=c:d"]);
}

#[test]
fn only_the_first_equals_sign_separates() {
    assert_eq!(read(b"[x]\nsecret=abc/def==\n"), ["1 [x]", "2 secret=abc/def=="]);
}

#[test]
fn a_comment_after_a_value_needs_whitespace_before_it() {
    let found =
        read("[x]\na = b # c\nd = e ; f\ng = h#i;j\nk=\t#\nl = m\u{a0}# n\no # = p\n".as_bytes());
    let expected = ["1 [x]", "2 a=b", "3 d=e", "4 g=h#i;j", "5 k=", "6 l=m\u{a0}", "7 NoKeyValue"];
    assert_eq!(found, expected);
}

#[test]
fn a_comment_after_a_section_needs_none_and_can_cut_its_bracket_off() {
    assert_eq!(read(b"[a]# b\n[a#b]\n"), ["1 [a]", "2 UnclosedHeader"]);
}

#[test]
fn an_indented_line_continues_the_value_and_keeps_its_comment() {
    let found = read(b"[x]\na = b\n# between\n\n\t c # d \ne = f\n");
    assert_eq!(found, ["1 [x]", "2 a=b\nc # d", "6 e=f"]);
}

#[test]
fn below_a_key_without_value_an_indented_line_must_be_a_property() {
    let found = read(b"[x]\ns3 =\n  max = 5\n  oops\n  = 1\n  min = 1\n");
    assert_eq!(found, ["1 [x]", "2 s3=\nmax = 5\nmin = 1", "4 Nested", "5 Nested"]);
}

#[test]
fn an_indented_line_below_a_section_header_is_rejected() {
    assert_eq!(read(b"[x]\n  a = b\nc = d\n"), ["1 [x]", "2 NothingToContinue", "3 c=d"]);
}

#[test]
fn what_precedes_the_first_section_is_rejected_once() {
    assert_eq!(read(b"a = b\nc = d\n  e\n[x]\n"), ["1 BeforeSection", "4 [x]"]);
    assert_eq!(read(b"  a = b\nc = d\n"), ["1 BeforeSection"]);
}

#[test]
fn properties_below_a_rejected_section_belong_to_nobody() {
    let found = read(b"[a]\n[b\nk = v\n  more\noops\n[c]\n");
    assert_eq!(found, ["1 [a]", "2 UnclosedHeader", "6 [c]"]);
}

#[test]
fn continuations_of_a_rejected_property_belong_to_nobody() {
    assert_eq!(read(b"[a]\nk = v\noops\n  more\n"), ["1 [a]", "2 k=v", "3 NoKeyValue"]);
}

#[test]
fn a_property_needs_a_key() {
    assert_eq!(read(b"[x]\n= v\n"), ["1 [x]", "2 NoKeyValue"]);
}

#[test]
fn lines_end_with_lf_or_crlf_but_not_with_a_lone_cr() {
    let found = read(b"[a]\r\na = b\r\nc = d\re\n\r\nf = g\r");
    assert_eq!(found, ["1 [a]", "2 a=b", "3 c=d\re", "5 f=g\r"]);
    // A carriage return alone is not blank.
    assert_eq!(read(b"[x]\n\r"), ["1 [x]", "2 NoKeyValue"]);
}

#[test]
fn a_byte_order_mark_is_reported_and_tolerated() {
    assert_eq!(read(b"\xef\xbb\xbf[a]\n"), ["1 [a]", "1 ByteOrderMark"]);
    assert_eq!(read(b"\xef\xbb\xbf"), ["1 ByteOrderMark"]);
}

#[test]
fn a_line_that_is_not_utf8_costs_only_what_belongs_to_it() {
    let found =
        read(b"[a]\nk = \xff\n  more\nl = m\n[\xff]\nn = o\n[b]\n# caf\xe9\np = q\n  \xff\n  r\n");
    let expected = [
        "1 [a]",
        "2 NotUtf8",
        "4 l=m",
        "5 NotUtf8",
        "7 [b]",
        "8 NotUtf8",
        "9 p=q\nr",
        "10 NotUtf8",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_line_with_a_nul_byte_is_rejected_unless_it_is_a_comment() {
    let found = read(b"#\0\n[a]\nk = \0\n[b\0]\nc = d\n");
    assert_eq!(found, ["2 [a]", "3 NulByte", "4 NulByte"]);
}
