//! The texts of all pages, embedded in the program.
//! A new code is a new file in `explain/` and its name here; a test compares the two.

macro_rules! embed {
    ($($code:literal)*) => {
        &[$(($code, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/explain/", $code, ".md")))),*]
    };
}

/// Code and text, in order of code.
pub(super) const PAGES: &[(&str, &str)] = embed! {
    "P001" "P002" "P003" "P004" "P005" "P006" "P007" "P101" "P102" "P103" "P104" "P110"
    "P111" "P112" "P120" "P121" "P122" "P123" "P124" "P125" "P126" "P201" "P202" "P203"
    "P204" "P205" "P206" "P207" "P208" "P209" "P210" "P211" "P212" "P301" "P302" "P303"
    "P304" "P305" "P306" "P307" "P308" "P309" "P310" "P311" "P312" "P313" "P314" "P315"
    "P316" "P320" "P321" "P330" "P401" "P402" "P403" "P404" "P405" "P406" "P407" "P408"
    "P501" "P502" "P503" "P504" "P505" "P510" "P511" "P512" "P513" "P514" "P515" "P516"
    "P517" "P518" "P519" "P520" "P521" "P522" "P523" "P524" "P525" "P526" "P601" "P602"
    "P603" "P604" "P605" "P606" "P607" "P608" "P701" "P702" "P703" "P704" "P705" "P706"
    "P710" "P711" "P801" "P802" "P803" "P804" "P805" "P806" "P807" "P808" "P809" "P900"
    "P901" "P902" "P903" "P904" "P905" "P906"
};
