using System.Text.Json.Serialization;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli;

/// <summary>A class that a model holds an image to show.</summary>
/// <param name="Class">The class index.</param>
/// <param name="Name">The class name, where names were given.</param>
/// <param name="Probability">0 to 1.</param>
internal sealed record PredictedClass(int Class, string? Name, double Probability);

/// <summary>The likeliest classes of an image, best first.</summary>
internal sealed record ImagePrediction(string Image, IReadOnlyList<PredictedClass> Classes);

/// <summary>A value that a model gives for an image: its shape and its first numbers, or the value in words where it holds no real numbers.</summary>
internal sealed record PredictedOutput(string Name, IReadOnlyList<int> Shape, IReadOnlyList<float> First, string? Text);

/// <summary>All values that a model gives for some images that were scored together.</summary>
internal sealed record ImageOutputs(string Image, IReadOnlyList<PredictedOutput> Outputs);

/// <summary>What predict writes for a model that is no classifier.</summary>
internal sealed record OutputsResult(string Engine, IReadOnlyList<ImageOutputs> Images, IReadOnlyList<SkippedImage> Skipped, double Seconds);

/// <summary>What predict writes.</summary>
internal sealed record PredictionResult(IReadOnlyList<ImagePrediction> Images, IReadOnlyList<SkippedImage> Skipped, double Seconds);

/// <summary>The pixels of an object, as COCO writes them.</summary>
/// <param name="Size">The picture's height and width.</param>
/// <param name="Counts">Lengths of runs down the columns, out and in by turns.</param>
internal sealed record PredictedMask(IReadOnlyList<int> Size, IReadOnlyList<int> Counts);

/// <summary>An object that a model sees.</summary>
/// <param name="Label">The class, as the model numbers them.</param>
/// <param name="Name">The class name, where it is known.</param>
/// <param name="Score">0 to 1.</param>
/// <param name="Box">Left, top, right, bottom in pixels of the image.</param>
/// <param name="Mask">Its pixels, or null where the model gives none.</param>
internal sealed record PredictedObject(int Label, string? Name, float Score, IReadOnlyList<double> Box, PredictedMask? Mask);

/// <summary>The objects in an image, the surest first.</summary>
internal sealed record ImageDetections(string Image, int Width, int Height, IReadOnlyList<PredictedObject> Objects, string? Drawn);

/// <summary>What predict writes for a detector.</summary>
internal sealed record DetectionsResult(string Profile, string Engine, IReadOnlyList<ImageDetections> Images, IReadOnlyList<SkippedImage> Skipped, double Seconds);

/// <summary>What export writes.</summary>
internal sealed record ExportResult(string Output, long FileBytes, double Seconds);

/// <summary>The time of a step of a call.</summary>
internal sealed record BenchLayer(string Name, string Kernel, string Output, double Milliseconds, double GigaflopsPerSecond, double Share);

/// <summary>How fast one form of a model runs.</summary>
/// <param name="ReadMilliseconds">Reading the file in a process that has just started; 0 where the model was made and not read.</param>
/// <param name="LoadMilliseconds">Reading, and compiling to a session that is ready.</param>
/// <param name="FirstCallMilliseconds">The first call, in which the runtime compiles the kernels.</param>
/// <param name="MedianMilliseconds">A call.</param>
/// <param name="P95Milliseconds">The call that 95% are no slower than.</param>
/// <param name="ImagesPerSecond">By the median.</param>
/// <param name="WeightBytes">Weights in memory.</param>
/// <param name="Layers">The steps of a call.</param>
internal sealed record BenchRun(
    double ReadMilliseconds, double LoadMilliseconds, double FirstCallMilliseconds, double MedianMilliseconds, double P95Milliseconds, double ImagesPerSecond, long WeightBytes, IReadOnlyList<BenchLayer> Layers);

/// <summary>What bench writes. The resident bytes are those of the whole process after the calls of the model as it is.</summary>
internal sealed record BenchResult(string Model, long FileBytes, int Batch, int Threads, int Calls, int VectorBits, BenchRun Run, BenchRun? Dense, long ResidentBytes);

/// <summary>What init writes.</summary>
internal sealed record InitResult(string Output, string Schema, int Layers);

/// <summary>What train writes.</summary>
internal sealed record TrainResult(string Output, long FileBytes, int Images, int Classes, int Epochs, double Loss, IReadOnlyList<SkippedImage> Skipped, string Backend, double Seconds);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(OutputKindConverter)])]
[JsonSerializable(typeof(AnalysisResult))]
[JsonSerializable(typeof(InitResult))]
[JsonSerializable(typeof(PredictionResult))]
[JsonSerializable(typeof(OutputsResult))]
[JsonSerializable(typeof(DetectionsResult))]
[JsonSerializable(typeof(ExportResult))]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(TrainResult))]
internal sealed partial class ToolJson : JsonSerializerContext;
