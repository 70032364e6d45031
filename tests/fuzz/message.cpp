// What a sender can put into a message: key and headers, the table of an atomic batch.
#include <vector>

#include "layout/batch.hpp"
#include "layout/metadata.hpp"
#include "spillring/parts.hpp"
#include "target.hpp"

namespace spillring::fuzz {
namespace {

bool is_equal(Bytes left, Bytes right) { return std::ranges::equal(left, right); }

/// What is decoded lies in its bytes, and is what they would be written as.
void decode(Bytes bytes) {
  const auto key = layout::decode_key(bytes);
  const std::vector<Header> headers = layout::decode_headers(bytes);
  if (key) require(is_within(*key, bytes), "a key lies in its metadata");
  for (const Header& header : headers) {
    require(is_within(bytes_of(header.name), bytes), "a header's name lies in its metadata");
    require(is_within(header.value, bytes), "a header's value lies in its metadata");
  }
  const Metadata metadata{.key = key, .headers = headers};
  const auto size = layout::encoded_size(metadata);
  if (!size || *size == 0) return;
  std::vector<std::byte> again(*size);
  layout::encode(metadata, again.data());
  require(*size <= bytes.size() && is_equal(again, bytes.first(*size)),
          "metadata are written as they were read");
}

/// What is sent comes back.
void encode(Input& in) {
  std::vector<std::string> texts;
  for (int count = in.number<std::uint8_t>() % 8; count >= 0; --count) texts.push_back(in.text());
  std::vector<Header> headers;
  for (std::size_t i = 1; i + 1 < texts.size(); i += 2) {
    headers.push_back({texts[i], bytes_of(texts[i + 1])});
  }
  Metadata metadata{.key = std::nullopt, .headers = headers};
  if (texts.front() != "none") metadata.key = bytes_of(texts.front());
  const auto size = layout::encoded_size(metadata);
  require(size.has_value(), "metadata of a few hundred bytes are not too large");
  std::vector<std::byte> bytes(*size);
  if (*size != 0) layout::encode(metadata, bytes.data());
  const auto key = layout::decode_key(bytes);
  require(key.has_value() == metadata.key.has_value(), "a key comes back");
  require(!key || is_equal(*key, *metadata.key), "a key comes back as it was");
  const std::vector<Header> back = layout::decode_headers(bytes);
  require(std::ranges::equal(back, headers,
                             [](const Header& left, const Header& right) {
                               return left.name == right.name && is_equal(left.value, right.value);
                             }),
          "headers come back as they were");
}

using Views = std::vector<Bytes>;

Views parts_of(Bytes payload) {
  const Parts parts(payload, true);
  Views views;
  for (const Bytes part : parts) views.push_back(part);
  return views;
}

/// Parts lie in their payload, are no more than it all together, and come back from a batch.
void parts(Input& in) {
  const std::size_t away = in.number<std::uint8_t>() % 8;  // from where it would be aligned
  std::vector<std::byte> memory(away);
  const Bytes bytes = in.rest();
  memory.insert(memory.end(), bytes.begin(), bytes.end());
  const Bytes payload = Bytes(memory).subspan(away);
  const Parts all(payload, true);
  for (std::size_t i = all.size(); i != 0; --i) {
    require(is_within(all[i - 1], payload), "a part lies in its message");
  }
  const Views views = parts_of(payload);
  require(views.size() == all.size(), "there are as many parts as the batch says");
  std::size_t sum = 0;
  for (const Bytes part : views) {
    require(is_within(part, payload), "what is shown of a part lies in its message");
    touch(part);
    sum += part.size();
  }
  require(sum <= payload.size(), "parts do not grow by being there twice");
  const auto size = layout::encoded_batch_size(views);
  require(size.has_value(), "parts of a message fit into one");
  std::vector<std::byte> again(*size, std::byte{0xff});
  layout::encode_batch(views, again.data());
  require(std::ranges::equal(parts_of(again), views, is_equal), "parts come back as they were");
}

}  // namespace

void message(Bytes input) {
  Input in(input);
  switch (in.number<std::uint8_t>() % 3) {
    case 0:
      return decode(in.rest());
    case 1:
      return encode(in);
    default:
      return parts(in);
  }
}

}  // namespace spillring::fuzz
