//! From the bytes of a manifest to documents, as kubectl reads them.
