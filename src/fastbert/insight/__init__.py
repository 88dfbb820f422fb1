"""What people look at: views, figures, the report."""
