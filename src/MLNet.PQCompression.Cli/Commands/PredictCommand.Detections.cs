using System.CommandLine;
using System.Text.Json;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Commands;

/// <content>predict with a detector.</content>
internal sealed partial class PredictCommand
{
    /// <summary>The objects in images, listed and drawn.</summary>
    private void Detections(ParseResult arguments, ToolConsole console, ModelGraph model, ImagePreprocessing preprocessing, DetectionProfile profile, ImageSource images, long start)
    {
        DetectionArguments.RefuseShards(arguments, _shards.All);
        _imageArguments.Tell(arguments, console, images);
        using Detector detector = Detector.Open(model, preprocessing, profile, _detection.Options(arguments), new() { Threads = arguments.GetValue(_threads) });
        DetectionLabels known = _classes.ReadLabels(arguments, model, profile, detector.Classes), labels = known.Names.Count > 0 ? known : DetectionLabels.Usual(profile, detector.Classes);
        var objects = new DetectionPredictions(detector, preprocessing, labels, _imageArguments.OnBadImage(arguments), console);
        DetectionsResult found = objects.Run(images, _detection.Folder(arguments, images), start);
        console.WriteResult(() => DetectionText.Of(found), () => JsonSerializer.Serialize(found, ToolJson.Default.DetectionsResult));
    }
}
