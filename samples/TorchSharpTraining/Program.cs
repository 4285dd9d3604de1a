// Trains a ResNet-20 with TorchSharp, compresses it from memory, and scores the file without libtorch.
// usage: TorchSharpTraining [EPOCHS] [IMAGES]
using System.Globalization;
using MLNet.PQCompression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Datasets;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.TorchSharp;
using TorchSharpTraining;
using static TorchSharp.torch;

int epochs = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 12, count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 6000;
string data = Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10"), unlabelled = Path.Combine(data, "unlabelled.zip"), test = Path.Combine(data, "test.zip");
string output = Directory.CreateDirectory("output").FullName, studentFile = Path.Combine(output, "resnet20.pq.onnx");

// libtorch is looked for first: where it is missing, this says which package to add.
TorchLibrary.Load();
manual_seed(1);

// Labelled images, a folder for each class: the data set's renderer draws as many as are asked for.
string labelled = Path.Combine(output, $"shapes10-{count}");
Parallel.For(0, count, i =>
{
    (string name, byte[] png) = DataSet.Render(Split.Train, seed: 1, i);
    string file = Path.Combine(labelled, name);
    Directory.CreateDirectory(Path.GetDirectoryName(file)!);
    File.WriteAllBytes(file, png);
});

// Train.
ImagePreprocessing preprocessing = ImagePreprocessing.Default(new TensorShape(-1, 3, 32, 32));
using ImageSource source = ImageSource.Open(labelled);
using var network = new ResNet20(source.ClassNames.Count);
Trainer.Train(network, TrainingSet.Load(new ImageSampleSource(source, preprocessing)), epochs, (step, steps, loss) =>
{
    if (step % 50 == 0 || step == steps)
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step} of {steps}, loss {loss:0.000}"));
});
network.eval();

// Compress the module as it is in memory, and write the file.
using PqModel teacher = PqModel.Of(network, "resnet20").WithPreprocessing(preprocessing);
using PqModel compressed = teacher.Compress(unlabelled, new() { Seed = 1 });
compressed.Save(studentFile);

// From here on nothing needs libtorch.
using PqModel student = PqModel.Load(studentFile);
EvaluationReport before = teacher.Evaluate(test), after = student.Evaluate(test, teacher);
Console.WriteLine(new TextTable("", ">correct", ">of", ">agree with the teacher").Add("teacher", $"{before.Top1}", $"{before.Images}", "").Add("student", $"{after.Top1}", $"{after.Images}", $"{after.Agreement}"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{compressed.Report!.Ratio:0.0} times smaller: {studentFile}, {new FileInfo(studentFile).Length:N0} bytes."));

// The decoded weights can go back into the module, to go on training.
compressed.CopyTo(network);
