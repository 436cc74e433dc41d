// Damages a flatbuffer where its structure is: offsets, lengths of vectors, fields of tables and of
// vtables. It knows no schema: what looks like a table or a vector is walked as one. Needs the
// standard library alone, so that tests in Python can build it by itself.
#pragma once

#include <cstddef>
#include <cstdint>

// Changes one to three places of the file in `data`, by a pseudorandom choice that `seed` decides.
// Returns the file's size, which stays. Bytes that are no flatbuffer are left as they are: then the
// result is 0.
extern "C" size_t edge_mutate(uint8_t* data, size_t size, uint32_t seed);
