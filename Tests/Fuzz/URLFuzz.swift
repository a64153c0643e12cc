// fuzz-target: url
// fuzz-modules: HTTPWire Base
// fuzz-max-length: 2048
// fuzz-link: -lcrypto
import HTTPWire

/// An address that is taken must mean the same after it was written out, and coding must be its own inverse.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzURL(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeRawBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    if var address = try? URLAddress(text) {
        address.userinfo = nil
        let again = try? URLAddress(address.description)
        precondition(again == address, "the address changed")
    }
    if let decoded = PercentCoding.decode(bytes[...]), !decoded.utf8.contains(0) {
        let encoded = Array(PercentCoding.encode(decoded).utf8)
        precondition(PercentCoding.decode(encoded[...]) == decoded, "the coding changed the text")
    }
    if let items = try? QueryItems(bytes[...]) { precondition(items.items.count <= QueryItems.limit) }
    return 0
}
