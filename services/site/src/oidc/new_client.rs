//! `site client new NAME --redirect-uri …`: a section for the settings, with a fresh secret.
