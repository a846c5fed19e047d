raise ValueError('this is wrong')
