//! Codecs without IO: HL7 v2, IHE device messages. Bytes in, facts out, and back.
