//! What `--help` says: the commands, their options with defaults, and examples that run.

pub(crate) fn overview() -> String {
    "\
Extract patients by a study definition, and make measures of them

Usage: cohortextractor [--version] [--help] COMMAND [OPTIONS]

Commands:
  generate_cohort    A study definition into files with one row per patient
  generate_measures  Those files into measures: numerator, denominator and value by group
  generate_codelist_report
                     How often the codes of a codelist are used, by code, week and practice
  dump_study_yaml    What a study definition asks, as YAML
  dump_cohort_sql    How a study definition is worked out
  maintenance        Whether the database is being rebuilt

Options:
      --version  Print a line with the version and end
      --verbose  Say more
  -h, --help     Print this help; behind a command, its options

Examples, as `run:` of actions:
  cohortextractor:latest generate_cohort --study-definition study_definition --output-format csv.gz
  cohortextractor:latest generate_measures --study-definition study_definition --output-dir=output
"
    .to_owned()
}

pub(crate) fn cohort() -> String {
    "\
A study definition into files with one row per patient

Usage: cohortextractor generate_cohort [OPTIONS]

Which study:
      --study-definition NAME     analysis/NAME.py; `all` takes every study_definition*.py [default: all]
      --param NAME=VALUE          A value that the study reads as params[\"NAME\"]; may be repeated
      --index-date-range RANGE    One file for each index date, with the date in its name: \"2021-01-01\", \"2021-01-01 to
                                  2021-12-01 by month\", \"… by week\", \"2021-01-01 to today\" [default: the study's own
                                  index date, one file]

Where the files go:
      --output-dir DIR            [default: output]
      --output-format FORMAT      csv, csv.gz, feather, dta or dta.gz [default: csv]
      --output-file PATH          Folder, name and format in one, for one study; a range adds _DATE to the name
                                  [default: DIR/input<_NAME of the study>.FORMAT]
      --skip-existing             Leave files that are there as they are

Which rows; a run on dummy data adds one of the first two by itself:
      --expectations-population N Dummy patients drawn from the study's return_expectations
      --dummy-data-file FILE      Your own rows: checked against the study, then copied. Same format as the output
      --dummy-tables DIR          Work the study out on the patient tables of a folder: <Table>.csv or .parquet
      --dummy KIND                expectations or simulated: how dummy patients are made [default: expectations]
      --mess SHARE                Simulated patients with untidy rows, 0 to 1 [default: 0.05]
      --dummy-report FILE         How near simulated patients come to the expectations, column by column and why not:
                                  JSON if the name ends in .json, else text
      --database-url URL          Never used and never shown: this version cannot extract patients from a database
      --seed N                    Other dummy patients [default: always the same]

Taken for compatibility, without effect:
      --temp-database-name NAME, --with-end-date-fix, --verbose, --compat safe|original|original-2022

  -h, --help                      Print this help

Examples:
  cohortextractor generate_cohort --study-definition study_definition --expectations-population 1000
  cohortextractor generate_cohort --index-date-range \"2021-01-01 to 2021-06-01 by month\" --output-format feather \\
      --expectations-population 1000
  cohortextractor generate_cohort --study-definition study_definition --dummy-tables tables --output-file out/x.csv
"
    .to_owned()
}

pub(crate) fn measures() -> String {
    "\
Files of patients into measures: numerator, denominator and value by group, for each index date and for all together

Usage: cohortextractor generate_measures [OPTIONS]

      --study-definition NAME  analysis/NAME.py, which has the list `measures`; `all` takes every study_definition*.py
                               that has one [default: all]
      --output-dir DIR         Where input<_NAME of the study>…_YYYY-MM-DD.FORMAT lie, and where measure_ID_YYYY-MM-DD.csv
                               and measure_ID.csv go [default: output]
      --skip-existing          Leave measure files that are there as they are
      --param NAME=VALUE       A value that the study reads as params[\"NAME\"]; may be repeated
      --verbose, --compat safe|original|original-2022
                               Taken for compatibility, without effect
  -h, --help                   Print this help

Example:
  cohortextractor generate_measures --study-definition study_definition --output-dir=output
"
    .to_owned()
}

pub(crate) fn codelist_report() -> String {
    "\
How often the codes of a codelist are used: per code, and per week and practice

Usage: cohortextractor generate_codelist_report [OPTIONS] --codelist-path FILE --start-date DATE --end-date DATE

      --codelist-path FILE  A csv file with the SNOMED codes in its column `code`
      --start-date DATE     First day that counts, YYYY-MM-DD; weeks begin on its weekday
      --end-date DATE       Last day that counts; practices and list sizes are those of this day
      --output-dir DIR      Where counts_per_code.csv, counts_per_week_per_practice.csv, list_sizes.csv and
                            patient_count.csv go [default: output]

Which rows; without patients they are invented, always the same for the same codes and dates:
      --codes N             Most codes that invented events have [default: 16]
      --days N              Most days that have invented events [default: 70]
      --dummy-tables DIR    Count the patient tables of a folder instead: <Table>.csv or .parquet

      --compat safe|original|original-2022
                            `original` counts patients of --dummy-tables who opted out too [default: safe]
      --verbose             Taken for compatibility, without effect
  -h, --help                Print this help

Example:
  cohortextractor generate_codelist_report --codelist-path=codelists/asthma.csv --start-date=2021-04-01 \\
      --end-date=2022-03-31 --output-dir output/asthma
"
    .to_owned()
}
