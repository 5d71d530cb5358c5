//! Keys, requests, the acceptance policy, certificates and their inspection: pure, bytes in, bytes out.
