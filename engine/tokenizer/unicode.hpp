// Character classes of the libraries that Hugging Face `tokenizers` is built on. Pure functions.
#pragma once

#include <cstdint>

namespace engine {

bool is_numeric(std::uint32_t code);         // Rust's char::is_numeric: categories Nd, Nl, No
bool is_white_space(std::uint32_t code);     // Unicode's White_Space
bool is_word_character(std::uint32_t code);  // \w of Rust's regex: Alphabetic, M, Nd, Pc, Join_Control

}  // namespace engine
