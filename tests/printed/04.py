"""Chapter 04 for its sheet."""

import numpy as np

from coursekit.preprocessing import Standardizer


def fit_standardizer(x):
    """:pyobject: Standardizer.fit"""
    fitted = Standardizer().fit(x)
    return fitted.mean, fitted.std


def standardize(x, mean, std):
    """:pyobject: Standardizer.transform"""
    return (x - mean) / std


def pca(x, k):
    r"""C v_i = \lambda_i v_i"""
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    return mean, vectors[:, ::-1][:, :k], values[::-1][:k]


def whiten_pca(x, mean, directions, variances, eps):
    r"""z = (x - \mu)\, V \operatorname{diag}\frac{1}{\sqrt{\lambda + \epsilon}}."""
    return (x - mean) @ directions @ np.diag(1 / np.sqrt(variances + eps))


def whiten_zca(x, mean, directions, variances, eps):
    r"""z = (x - \mu)\, V \operatorname{diag}\frac{1}{\sqrt{\lambda + \epsilon}}\, V^\top,"""
    return (x - mean) @ directions @ np.diag(1 / np.sqrt(variances + eps)) @ directions.T
