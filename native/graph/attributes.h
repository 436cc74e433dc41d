// The typed attributes of a node: one struct per options table of attributes.inc, named
// <Name>Attributes, and the variant of them all.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "graph/types.h"

namespace edge {

// The numbers are those of the file format.
enum class Padding : int8_t { kSame = 0, kValid = 1 };
enum class Activation : int8_t {
  kNone = 0,
  kRelu = 1,
  kReluN1To1 = 2,
  kRelu6 = 3,
  kTanh = 4,
  kSignBit = 5
};

// Added to the numbers of the format's second union of options.
constexpr int kSecondOptions = 1000;

#define EDGE_FIELD(slot, type, name, value) type name = value;
#define EDGE_ATTRIBUTES(Name, number, fields) \
  struct Name##Attributes {                   \
    fields                                    \
  };
#include "graph/attributes.inc"
#undef EDGE_ATTRIBUTES

using Attributes = std::variant<std::monostate
#define EDGE_ATTRIBUTES(Name, number, fields) , Name##Attributes
#include "graph/attributes.inc"
#undef EDGE_ATTRIBUTES
#undef EDGE_FIELD
                                >;

}  // namespace edge
