# The module as an image, for whoever has a builder at hand: `make build`, then
#   docker build -t registry.example/lychgate:0.1.0 .
# `make image` writes the same without one.
FROM scratch
COPY dist/lychgate.wasm /plugin.wasm
