"""Pages for people: HTML made on the server, useful without JavaScript.

The API's app hands requests for pages over at its `door`, which imports all else here with the first of them: a Lambda
that only serves programs never pays for it. Read on in `app`.
"""
