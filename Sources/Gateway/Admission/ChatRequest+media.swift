import Chat

extension ChatRequest {
    /// What is no text, in results of tools too.
    var media: [ChatMedia] {
        var media: [ChatMedia] = []
        for message in messages {
            for part in message.parts { part.addMedia(to: &media) }
        }
        return media
    }
}

extension ChatPart {
    fileprivate func addMedia(to media: inout [ChatMedia]) {
        switch content {
        case .media(let medium): media.append(medium)
        case .toolResult(let result): for part in result.parts { part.addMedia(to: &media) }
        default: break
        }
    }
}
