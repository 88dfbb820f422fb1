"""Estimators of scikit-learn: the library's training and answers behind fit, predict and predict_proba."""
