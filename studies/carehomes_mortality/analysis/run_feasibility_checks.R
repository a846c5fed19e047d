# Can deaths in care homes be studied with these records? Counts, coverage, deaths.
# Arguments: extracted people of 65 and over, coverage of each area.

source("analysis/functions.R")
paths <- input_paths(c("INPUT.csv", "TPP_MSOA_COVERAGE.csv"))
start_log("analysis/logfiles/feasibility_checks.txt")
out <- function(name) file.path("analysis/outfiles", name)

comorbidities <- c("dementia", "chronic_respiratory", "chronic_cardiac", "diabetes", "cancer")
people <- read_text(paths[1], c(
  "patient_id", "age", "sex", "ethnicity", "msoa", "care_home_type", "care_home_code",
  "household_id", "household_size", "percent_tpp", "died_date", "died_covid_date", comorbidities
))
areas <- read_text(paths[2], c("msoa", "coverage"))

TYPES <- c(N = "nursing home", C = "care home, no nursing", S = "care home, kind unclear",
           U = "private home")
type <- people$care_home_type
type[is.na(type)] <- "U"
people$home <- factor(TYPES[type], levels = TYPES)
people$in_care_home <- type != "U"
people$group <- factor(ifelse(people$in_care_home, "care home", "private home"),
                       levels = c("care home", "private home"))
people$coded <- people$care_home_code %in% "1"
for (name in c("age", "household_size", "percent_tpp")) {
  people[[name]] <- as.numeric(people[[name]])
}
people$age_group <- cut(people$age, c(-Inf, 65, 75, 85, Inf), right = FALSE,
                        labels = c("under 65", "65 to 74", "75 to 84", "85 and over"))
people$died <- as.Date(people$died_date)
people$died_covid <- as.Date(people$died_covid_date)
people$coverage <- as.numeric(areas$coverage)[match(people$msoa, areas$msoa)]
bands <- c("below 40 %", "40 to 79 %", "80 % and over", "unknown")
people$band <- cut(people$coverage, c(-Inf, 40, 80, Inf), right = FALSE, labels = bands[1:3])
people$band <- factor(ifelse(is.na(people$band), "unknown", as.character(people$band)),
                      levels = bands)

households <- people[!duplicated(people$household_id), ]

# Table 1a: people and households of each kind of home.
by_home <- function(values) as.integer(table(values))
median_size <- tapply(households$household_size, households$home, median)
n_households <- by_home(households$home)
write_text_table(data.frame(
  home = TYPES,
  people = as_count(by_home(people$home)),
  percent_of_people = as_percent(by_home(people$home), nrow(people)),
  households = as_count(n_households),
  median_household_size =
    ifelse(n_households > HIDE_UP_TO, sprintf("%.1f", median_size[TYPES]), HIDDEN)
), out("table1a.txt"))

# Table 1b: does the address agree with the record?
cells <- expand.grid(by_address = c("yes", "no"), by_record = c("yes", "no"),
                     stringsAsFactors = FALSE)
counts <- mapply(
  function(address, record) {
    sum(people$in_care_home == (address == "yes") & people$coded == (record == "yes"))
  },
  cells$by_address, cells$by_record
)
write_text_table(data.frame(
  care_home_by_address = cells$by_address,
  care_home_by_record = cells$by_record,
  people = as_count(counts),
  percent = as_percent(counts, nrow(people))
), out("table1b.txt"))

# Figures 1a to 1c: bars of rounded counts; a hidden count has no bar.
bars <- function(path, values, breaks, title, xlab) {
  last <- length(breaks) - 1
  labels <- paste(breaks[1:last], "to", breaks[-1] - 1)
  labels[last] <- paste(breaks[last], "or more")
  groups <- cut(values, c(head(breaks, -1), Inf), right = FALSE, labels = labels)
  heights <- shown(as.integer(table(groups)))
  with_png(path, function() {
    par(mar = c(6.5, 4.5, 3, 1), las = 2)
    barplot(ifelse(is.na(heights), 0, heights), names.arg = labels, col = "#0b3d91",
            border = NA, main = title, ylab = "number, rounded", cex.names = 0.8,
            ylim = c(0, max(1, heights, na.rm = TRUE) * 1.05))
    mtext(xlab, side = 1, line = 5.2, las = 1)
  })
}
care_homes <- households[households$in_care_home, ]
bars(out("figure1a.png"), care_homes$household_size, c(0, 2, 4, 6, 8, 10, 12, 14, 16),
     "Care homes by number of residents", "residents")
bars(out("figure1b.png"), people$coverage[people$in_care_home], seq(0, 200, 20),
     "Care home residents by coverage of their area", "coverage of the area, percent")
bars(out("figure1c.png"), care_homes$percent_tpp, seq(0, 110, 10),
     "Care homes by share of residents with a record", "residents with a record, percent")

# Table 2: who lives in care homes and who does not.
missing_group <- function(values) ifelse(is.na(values), "missing", values)
traits <- list(
  `age group` = droplevels(people$age_group),
  sex = missing_group(people$sex),
  ethnicity = missing_group(people$ethnicity)
)
for (name in comorbidities) {
  traits[[gsub("_", " ", name)]] <- ifelse(is.na(people[[name]]), "no", "yes")
}
totals <- table(people$group)
table2 <- do.call(rbind, lapply(names(traits), function(name) {
  counts <- table(traits[[name]], people$group)
  data.frame(
    characteristic = name,
    level = rownames(counts),
    care_home = as_count(counts[, "care home"]),
    care_home_percent = as_percent(counts[, "care home"], totals[["care home"]]),
    private_home = as_count(counts[, "private home"]),
    private_home_percent = as_percent(counts[, "private home"], totals[["private home"]])
  )
}))
write_text_table(table2, out("table2.txt"))

# Tables 3 and 4: deaths by home, and by coverage of the area or by age and sex.
deaths_by <- function(...) {
  keys <- list(...)
  cross <- function(chosen) as.vector(do.call(table, lapply(keys, function(key) key[chosen])))
  cells <- expand.grid(lapply(keys, levels), stringsAsFactors = FALSE)
  everybody <- cross(rep(TRUE, nrow(people)))
  died <- cross(!is.na(people$died))
  covid <- cross(!is.na(people$died_covid))
  data.frame(
    cells,
    people = as_count(everybody),
    died = as_count(died),
    died_percent = as_percent(died, everybody),
    died_covid = as_count(covid),
    died_covid_percent = as_percent(covid, everybody)
  )
}
write_text_table(deaths_by(home = people$group, coverage = people$band), out("table3.txt"))
write_text_table(
  deaths_by(home = people$group, age_group = droplevels(people$age_group),
            sex = factor(missing_group(people$sex))),
  out("table4.txt")
)

# Figure 2: deaths so far by week, each line a home and a cause; hidden counts are gaps.
dates <- c(people$died, people$died_covid)
dates <- dates[!is.na(dates)]
with_png(out("figure2.png"), function() {
  if (length(dates) == 0) {
    plot.new()
    title("No deaths")
    return(invisible())
  }
  start <- min(dates)
  weeks <- seq(start, max(dates), by = 7)
  weekly <- function(days) {
    week <- as.integer(days[!is.na(days)] - start) %/% 7L
    shown(cumsum(as.integer(table(factor(week, levels = seq_along(weeks) - 1L)))))
  }
  series <- list(
    `care home, any cause` = weekly(people$died[people$in_care_home]),
    `care home, Covid-19` = weekly(people$died_covid[people$in_care_home]),
    `private home, any cause` = weekly(people$died[!people$in_care_home]),
    `private home, Covid-19` = weekly(people$died_covid[!people$in_care_home])
  )
  top <- max(1, unlist(series), na.rm = TRUE)
  plot(range(weeks), c(0, top), type = "n", xlab = "week beginning", xaxt = "n",
       ylab = "deaths so far, rounded", main = "Deaths by home and cause")
  axis.Date(1, at = seq(start, max(weeks), by = "month"), format = "%b %Y")
  for (k in seq_along(series)) {
    lines(weeks, series[[k]], type = "o", cex = 0.5, lty = k, pch = k,
          col = c("#b30000", "#0b3d91")[(k + 1) %/% 2])
  }
  legend("topleft", names(series), lty = 1:4, pch = 1:4, bty = "n", cex = 0.8,
         col = c("#b30000", "#b30000", "#0b3d91", "#0b3d91"))
})

cat("People:", as_count(nrow(people)), "\n")
cat("Households:", as_count(nrow(households)), "\n")
cat("People in a care home by address:", as_count(sum(people$in_care_home)), "\n")
cat("Deaths:", as_count(sum(!is.na(people$died))), "\n")
cat("People whose area has no known coverage:", as_count(sum(is.na(people$coverage))), "\n")
