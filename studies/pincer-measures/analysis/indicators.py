"""The prescribing safety indicators of this study: ids, titles and families."""

FAMILIES = {
    "gi_bleed": "Gastrointestinal bleed",
    "other_prescribing": "Other hazardous prescribing",
    "monitoring": "Missed blood test monitoring",
}

# id: (family, title)
INDICATORS = {
    "a": ("gi_bleed", "65 or over, NSAID, no gastroprotection"),
    "b": ("gi_bleed", "Peptic ulcer, NSAID, no gastroprotection"),
    "c": ("gi_bleed", "Peptic ulcer, antiplatelet, no gastroprotection"),
    "d": ("gi_bleed", "Anticoagulant with NSAID"),
    "e": ("gi_bleed", "Anticoagulant with antiplatelet, no gastroprotection"),
    "f": ("gi_bleed", "Aspirin with another antiplatelet, no gastroprotection"),
    "g": ("other_prescribing", "Asthma, non-selective beta blocker"),
    "i": ("other_prescribing", "Heart failure, NSAID"),
    "k": ("other_prescribing", "Kidney function below 45, NSAID"),
    "ac": ("monitoring", "75 or over, ACE inhibitor or loop diuretic, no kidney test"),
    "am": ("monitoring", "Amiodarone, no thyroid test"),
    "li": ("monitoring", "Lithium, no lithium level"),
    "me_no_fbc": ("monitoring", "Methotrexate, no full blood count"),
    "me_no_lft": ("monitoring", "Methotrexate, no liver function test"),
}

# These two need the days between two prescriptions, which calculate_numerators.py works out
# from the dates that the study definition returns.
COMPUTED = ("e", "f")
EXTRACTED = tuple(name for name in INDICATORS if name not in COMPUTED)

DEMOGRAPHICS = ("age_band", "sex", "region", "imd", "ethnicity")


def numerator(indicator):
    return "indicator_{}_numerator".format(indicator)


def denominator(indicator):
    return "indicator_{}_denominator".format(indicator)


def family(name):
    """The ids of one family's indicators, in order."""
    return [key for key, (member_of, _) in INDICATORS.items() if member_of == name]
