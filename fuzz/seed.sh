#!/bin/sh
# Fills corpus/ with the small files of seeds/ and every program of the repository. Run in fuzz/.
set -e
for target in csv npy npz idx libsvm; do
  mkdir -p "corpus/$target"
  cp seeds/$target/* "corpus/$target/"
done
mkdir -p corpus/program
find ../specs ../tests/suite ../grammar/tests/samples -name '*.blo' | while read -r file; do
  cp "$file" "corpus/program/$(echo "$file" | tr '/' '_')"
done
# The programs of the language reference and of every diagnostic.
awk '/^```blo/ { n += 1; open = 1; next } /^```/ { open = 0 }
  open { print > ("corpus/program/docs_" n) }' ../docs/book/src/language.md ../cli/codes/*.md
