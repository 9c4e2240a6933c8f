# The module as an image, for use with an image builder: `make build`, then
#   docker build -t registry.example/lychgate:0.1.0 .
# `make image` writes the same image without a builder.
FROM scratch
COPY dist/lychgate.wasm /plugin.wasm
