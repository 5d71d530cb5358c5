//! Values files: read as Helm reads them, edited without loss, and the edit proven.
