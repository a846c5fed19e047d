raise SystemError('the study is not read before the words are understood')
