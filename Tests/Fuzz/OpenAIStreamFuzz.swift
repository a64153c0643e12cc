// fuzz-target: openai-stream
// fuzz-modules: Providers Chat HTTPWire JSON Base
// fuzz-with: ChatStreamCheck.swift
// fuzz-max-length: 4096
// fuzz-link: -lcrypto
import Providers

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOpenAIStream(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    ChatStreamCheck.check(Array(UnsafeBufferPointer(start: start, count: count)), OpenAIChatCodec())
    return 0
}
