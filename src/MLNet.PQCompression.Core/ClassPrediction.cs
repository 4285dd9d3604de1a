namespace MLNet.PQCompression;

/// <summary>A class that a network sees in an image.</summary>
/// <param name="Class">The class index.</param>
/// <param name="Name">The class's name, or its index in digits where the model has no names.</param>
/// <param name="Probability">0 to 1; over all classes they sum to 1.</param>
public sealed record ClassPrediction(int Class, string Name, double Probability);
