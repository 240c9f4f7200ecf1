"""How good the model is, in numbers and pictures, beside two baselines (`real3d evaluate`)."""
