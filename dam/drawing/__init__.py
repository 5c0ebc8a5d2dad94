"""The drawn world: pictures with known captions, drawn from an openly licensed emoji font.

`nouns` says what can stand in a picture, `scenes` arranges and captions it, `painting` draws it. The demo
models are trained on these pictures, the samples are some of them, and `dam demo --count` draws more. No
service imports this package.
"""
