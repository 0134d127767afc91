"""The judge: how real, diverse, new, useful and private samples are, in numbers beside what real data gets.

``examine`` (in ``examine.py``) asks the five questions, ``record.py`` holds the answers, ``page/`` draws them.
The judge knows objects only through their kind and features, and no engine at all.
"""
