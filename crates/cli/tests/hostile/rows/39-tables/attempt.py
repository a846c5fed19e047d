for name, content in {
    "fine": b"a,b\n1,2\n",
    "quote": b'a,b\n"1,2\n',
    "nul": b"a,b\n1,\x002\n",
    "line": b"a,b\n" + b"x" * 8_000_000 + b"\n",
    "mark": b"\xef\xbb\xbfpatient_id,b\n1,2\n",
    "blanks": b'a," PATIENT_ID "\n1,2\n',
}.items():
    with open(f"output/{name}.csv", "wb") as file:
        file.write(content)
