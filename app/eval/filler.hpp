// Text without meaning for the question: sentences that fill a context.
#pragma once

#include <cstdint>
#include <string>

namespace app::eval {

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  // In [0, count).
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
  // `digits` of them, the first not zero.
  std::string number(int digits);

 private:
  std::uint64_t state_;
};

// A sentence of prose about nothing in particular, without digits.
std::string prose_sentence(Random& random);

}  // namespace app::eval
