"""What becomes of a project of ilastik here: a model, learnt anew where need be, and a layer of its labels."""
