namespace MLNet.PQCompression.Data;

/// <summary>Some preprocessed images, N×C×H×W float32.</summary>
/// <param name="Data">Count·C·H·W values; image after image, plane after plane. May be longer than needed.</param>
/// <param name="Count">The number of images.</param>
/// <param name="Names">What each image is called, for messages; Count of them.</param>
/// <param name="Labels">The class index of each image, or -1 where it is not known; Count of them.</param>
public sealed record SampleBatch(ReadOnlyMemory<float> Data, int Count, IReadOnlyList<string> Names, IReadOnlyList<int> Labels);
