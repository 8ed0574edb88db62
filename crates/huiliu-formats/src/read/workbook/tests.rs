//! What reading workbooks promises.
