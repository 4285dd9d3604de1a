using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>What a network's outputs are taken for.</summary>
internal enum NetworkTask
{
    /// <summary>Detections where the outputs are those of a known family of detectors, classes where the network shows that it gives scores of classes, else outputs.</summary>
    Auto,

    /// <summary>Scores of classes.</summary>
    Classes,

    /// <summary>Boxes of objects with scores, labels and perhaps masks.</summary>
    Detections,

    /// <summary>Whatever they are, output by output.</summary>
    Outputs,
}

/// <summary>--task.</summary>
internal sealed class TaskOption
{
    public Option<NetworkTask> Symbol { get; } = ChoiceOption.Create("--task", "What the outputs are: scores of classes, detections, or anything else.", NetworkTask.Auto);

    /// <summary>What a detector's outputs mean; null where they are to be taken as something else, or are no detector's.</summary>
    /// <exception cref="UsageException">Detections are asked for, and it cannot be told which outputs they are.</exception>
    public DetectionProfile? Detector(ParseResult arguments, ModelGraph model, ImagePreprocessing preprocessing, DetectionProfile? given)
    {
        NetworkTask task = arguments.GetValue(Symbol);
        if (given is not null && task is NetworkTask.Auto or NetworkTask.Detections)
            return given;
        DetectionProfile? found = task is NetworkTask.Auto or NetworkTask.Detections ? DetectionProfile.Find(model, preprocessing.Height, preprocessing.Width) : null;
        return task == NetworkTask.Detections && found is null
            ? throw new UsageException($"--task detections: it cannot be told what the outputs of this model mean ({string.Join(", ", model.Outputs.Select(o => $"{o.Name} [{o.Shape}]"))}); name a --profile.")
            : found;
    }

    /// <summary>The part of a network that gives scores of classes, or null where its outputs are taken as they are.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="model">The network.</param>
    /// <param name="needsProof">Whether a row of numbers is no evidence: nothing else speaks of classes, and there is another way to look at it.</param>
    /// <exception cref="UsageException">Classes are asked for, and there are none.</exception>
    public ModelGraph? Classifier(ParseResult arguments, ModelGraph model, bool needsProof = false)
    {
        NetworkTask task = arguments.GetValue(Symbol);
        if (task is NetworkTask.Outputs or NetworkTask.Detections)
            return null;
        ModelGraph? part = ClassifierPart.Find(model) ?? (task == NetworkTask.Classes && model.Outputs.Length == 1 && !model.ForeignNodes.Any() ? model : null);
        if (task == NetworkTask.Auto && needsProof && part is not null && !ClassifierPart.IsCertain(part))
            return null;
        return task != NetworkTask.Classes ? part
            : part ?? throw new UsageException("--task classes: no output of this model can be told to be scores of classes; use --task outputs.");
    }
}
